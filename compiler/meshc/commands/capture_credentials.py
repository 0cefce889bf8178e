"""Reads a token of each remote and seals them all for its primaries, or writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from meshc.capture.credentials import (
    Token,
    account_of,
    await_token,
    credentials,
    forget,
    look,
    make,
    request,
    server_of,
)
from meshc.capture.may import of_istiod
from meshc.commands.clusters import Choice, chosen
from meshc.commands.living import Leave, Reach, living, seconds_in
from meshc.commands.store import EXAMPLE, hand_over, words_of
from meshc.commands.work import opened_work
from meshc.errors import UsageError
from meshc.issuing import recipients
from meshc.issuing.given import Given, needs_for
from meshc.issuing.remote import Order, seal_remote, stop_on_sealed
from meshc.lowering import needs_of
from meshc.plain import plain

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.capture.ask import Api
    from meshc.capture.credentials import Account
    from meshc.commands.listener import Listener
    from meshc.issuing.remote import Owed
    from meshc.issuing.work import Work
    from meshc.plan.ir import ClusterPlan


@dataclass(frozen=True, slots=True)
class Wanted:
    """How credentials are asked for and sealed."""

    primary: str | None
    duration: str | None
    rotate: bool
    replace: bool
    accepted: bool
    to_command: str | None


@dataclass(frozen=True, slots=True)
class CapturedCredentials:
    """A line for each token, what was put into a store, the files, and what is left to do."""

    tokens: tuple[str, ...]
    warnings: tuple[str, ...]
    owed: tuple[Owed, ...]
    written: tuple[str, ...]
    left: tuple[str, ...]


def captured_credentials(
    file: Path, choice: Choice, reach: Reach, wanted: Wanted, leave: Leave, listener: Listener
) -> CapturedCredentials:
    """Nothing is made in a cluster before everything that could stop the sealing has been looked at.

    Raises MeshcError: UsageError where `leave` isn't given, AskError where a cluster can't be asked.
    """
    work = opened_work(file, listener, writes=True)
    clusters = living(file.parent, work.plan, remotes(work, choice), reach)
    every = needs_of(work.plan)
    command = words_of(wanted.to_command) if wanted.to_command else ()
    for name in clusters.contexts:
        _stop_early(work, name, wanted)
    places: list[ClusterPlan] = []
    tokens, warnings, left = [], [], []
    owed: list[Owed] = []
    with _taken_back() as made:
        for name in clusters.contexts:
            api, cluster = clusters.api(name), work.plan.cluster(name)
            server_of(api, cluster)
            account = look(api, work.plan.istio_namespace, account_of(work.plan.generation, cluster))
            token = _token(api, account, wanted, leave, made)
            rights = of_istiod(work.plan, cluster)
            held = credentials(api, cluster, token, account.namespace, rights)
            handed = Given(held, name, source=token.source)
            order = Order(datetime.now(UTC), wanted.primary, wanted.replace, wanted.accepted)
            outcome = seal_remote(work, every, handed, name, order)
            places += outcome.places
            owed += outcome.owed
            warnings += [outcome.warning] if outcome.warning else []
            tokens.append(f"{name}: {_described(token, account)}")
            left += _afterwards(work, name, token, account, wanted)
        recipients.update_rules(work, places)
        hand_over(owed, command)
        if owed:
            made.clear()  # a store holds them now
        written = work.commit()
    return CapturedCredentials(tuple(tokens), tuple(warnings), tuple(owed), tuple(written), tuple(left))


_Made = list[tuple["Api", "Account", "Token"]]


@contextmanager
def _taken_back() -> Iterator[_Made]:
    """The Secrets that are made inside: where they aren't sealed in the end, none is left behind in a cluster."""
    made: _Made = []
    try:
        yield made
    except BaseException:  # Ctrl-C, and whoever read the output and went away
        for api, account, token in made:
            forget(api.anew(), account, token.source, token.uid)
        raise


def remotes(work: Work, choice: Choice) -> list[str]:
    """The clusters that are meant whose credentials some primary needs, and those that are named in any case.

    Raises UsageError where that leaves nobody.
    """
    needed = {need.of for need in needs_of(work.plan)}
    found = [name for name in chosen(work.plan, choice) if name in needed or name in choice.names]
    if not found:
        raise UsageError("no primary needs credentials of these clusters", "name remotes")
    return found


def _stop_early(work: Work, name: str, wanted: Wanted) -> None:
    """What would stop the sealing, before a token is made: a file that is there, a new reader, a store."""
    needs = needs_for(needs_of(work.plan), name, wanted.primary)
    recipients.stop_on_new(
        work, needs_of(work.plan), [work.plan.cluster(need.cluster) for need in needs], wanted.accepted
    )
    stores = [need for need in needs if work.plan.cluster(need.cluster).sealing.in_store]
    if wanted.to_command and not stores:
        raise UsageError(f"no primary of {name} reads credentials from a store", "leave --to-command out")
    for need in needs:
        stop_on_sealed(work, need, wanted.replace)
        if need in stores and not wanted.to_command:
            raise UsageError(
                f"{need.cluster} reads credentials from a store: by which command do they get there?",
                f"{EXAMPLE}, which is given them on its standard input",
            )


def _token(api: Api, account: Account, wanted: Wanted, leave: Leave, made: _Made) -> Token:
    where = f"{api.name}: service account {account.namespace}/{account.name}"
    if wanted.duration:
        seconds = seconds_in(wanted.duration)
        leave(f"{where}: a token for {wanted.duration} is requested")
        return request(api, account, seconds)
    if account.tokens and not wanted.rotate:
        return account.tokens[0]
    if account.empty and not wanted.rotate:
        return await_token(api, account, account.empty[0])
    leave(f"{where}: a Secret {account.name}-token-... is made for its token")
    token = make(api, account)
    made.append((api, account, token))
    return token


def _described(token: Token, account: Account) -> str:
    origin = f"token of Secret {account.namespace}/{plain(token.source)}" if token.source else "a token made for this"
    return f"{origin}, {f'until {token.expires:%Y-%m-%d %H:%M} UTC' if token.expires else 'which has no end'}"


def _afterwards(work: Work, name: str, token: Token, account: Account, wanted: Wanted) -> list[str]:
    """What a rotation leaves to do: the old token goes only once the primaries use the new one."""
    if not wanted.replace:
        return []
    lines = []
    classic = work.plan.generation == "classic"
    if classic:
        lines.append(f"pilot reads a changed secret only when it starts: restart it in the primaries of {name}")
    old = [one.source for one in account.tokens if one.source != token.source and (one.ours or classic)]
    if old:
        after = "once its primaries run with the new token, and meshc doctor says so"
        if classic:
            lines.append(f"{name}: {after}, delete the old:")
            lines += [f"  kubectl -n {account.namespace} delete secret {plain(one)}" for one in old]
        else:
            lines.append(f"{name}: {after}: meshc capture credentials {name} --prune-tokens")
    return lines

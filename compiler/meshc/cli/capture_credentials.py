"""What `meshc capture credentials` does: reads a token of each remote, seals them all, or writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from meshc.capture.credentials import Token, account_of, await_token, credentials, look, make, request
from meshc.cli.ca_commands import opened_work
from meshc.cli.live import chosen, contexts_of, opened_api, seconds_in, stop_unless_allowed
from meshc.cli.report import tell, warn
from meshc.cli.store import EXAMPLE, hand_over, words_of
from meshc.errors import UsageError
from meshc.pipeline import needs_of
from meshc.plain import plain
from meshc.seal import recipients
from meshc.seal.given import Given, needs_for
from meshc.seal.remote import seal_remote, stop_on_sealed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.capture.ask import Api
    from meshc.capture.credentials import Account
    from meshc.plan.ir import ClusterPlan
    from meshc.seal.remote import Owed
    from meshc.seal.work import Work


@dataclass(frozen=True, slots=True)
class Wanted:
    """How credentials are asked for and sealed."""

    primary: str | None
    duration: str | None
    rotate: bool
    replace: bool
    accepted: bool
    yes: bool
    to_command: str | None


def credentials_command(
    file: Path, names: Sequence[str], words: Sequence[str], kubeconfig: Path | None, timeout: float, wanted: Wanted
) -> None:
    """Nothing is made in a cluster before everything that could stop the sealing has been looked at."""
    work = opened_work(file, writes=True)
    contexts = contexts_of(file.parent, work.plan, chosen(work.plan, names), words, kubeconfig)
    every = needs_of(work.plan)
    command = words_of(wanted.to_command) if wanted.to_command else ()
    for name in contexts:
        _stop_early(work, name, wanted)
    places: list[ClusterPlan] = []
    left: list[str] = []
    owed: list[Owed] = []
    for name in contexts:
        api = opened_api(name, contexts, kubeconfig, timeout)
        account = look(api, work.plan.istio_namespace, account_of(work.plan.generation, work.plan.cluster(name)))
        token = _token(api, account, wanted)
        handed = Given(credentials(api, work.plan.cluster(name), token), name, source=token.source)
        outcome = seal_remote(
            work, every, handed, name, wanted.primary, wanted.replace, wanted.accepted, datetime.now(UTC)
        )
        places += outcome.places
        owed += outcome.owed
        warn(outcome.warning)
        tell(f"{name}: {_described(token, account)}")
        left += _afterwards(work, name, token, account, wanted)
    recipients.update_rules(work, places)
    hand_over(owed, command)
    for each in owed:
        tell(f"put into the store: {each.key}, property {each.field}")
    for path in work.commit():
        tell(f"wrote {path}")
    for line in left:
        tell(line)
    tell("next: meshc compile")


def _stop_early(work: Work, name: str, wanted: Wanted) -> None:
    """What would stop the sealing, before a token is made: a file that is there, a new reader, a store."""
    needs = needs_for(needs_of(work.plan), name, wanted.primary)
    recipients.stop_on_new(
        work, needs_of(work.plan), [work.plan.cluster(need.cluster) for need in needs], wanted.accepted
    )
    stores = [need for need in needs if work.plan.cluster(need.cluster).sealing.backend == "external-secrets"]
    if wanted.to_command and not stores:
        raise UsageError(f"no primary of {name} reads credentials from a store", "leave --to-command out")
    for need in needs:
        stop_on_sealed(work, need, wanted.replace)
        if need in stores and not wanted.to_command:
            raise UsageError(
                f"{need.cluster} reads credentials from a store: by which command do they get there?",
                f"{EXAMPLE}, which is given them on its standard input",
            )


def _token(api: Api, account: Account, wanted: Wanted) -> Token:
    where = f"{api.name}: service account {account.namespace}/{account.name}"
    if wanted.duration:
        seconds = seconds_in(wanted.duration)
        stop_unless_allowed(f"{where}: a token for {wanted.duration} is requested", wanted.yes)
        return request(api, account, seconds)
    if account.tokens and not wanted.rotate:
        return account.tokens[0]
    if account.empty and not wanted.rotate:
        return await_token(api, account, account.empty[0])
    stop_unless_allowed(f"{where}: a Secret {account.name}-token-... is made for its token", wanted.yes)
    return make(api, account)


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

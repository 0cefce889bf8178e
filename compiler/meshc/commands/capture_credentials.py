"""Reads a token of each remote and seals it for the primaries.

If clusters are named, either all of them are sealed, or nothing is written. With `--all`, labels or a pattern, each
cluster is handled separately: sealed ones are skipped, and a failure doesn't stop the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from meshc.capture.credentials import account_of, credentials, forget, look, server_of
from meshc.capture.may import of_istiod
from meshc.commands.clusters import Choice, chosen
from meshc.commands.live_clusters import Reach, live_clusters
from meshc.commands.store import EXAMPLE, hand_over, words_of
from meshc.commands.tokens import Asked, afterwards, described
from meshc.commands.work import opened_work
from meshc.errors import Exit, MeshcError, UsageError
from meshc.issuing import recipients
from meshc.issuing.given import Given
from meshc.issuing.mounted import is_closed, stop_on_closed
from meshc.issuing.remote import Order, Sealing, holds, lacking, stop_on_sealed
from meshc.lowering import needs_of

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.capture.ask import Api
    from meshc.capture.credentials import Account, Token
    from meshc.commands.listener import Listener
    from meshc.commands.live_clusters import LiveClusters
    from meshc.hidden import Hidden
    from meshc.issuing.remote import Owed
    from meshc.issuing.work import Work
    from meshc.plan.needs import SecretNeed


Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Wanted:
    """How credentials are requested and sealed."""

    primary: str | None
    duration: str | None
    rotate: bool
    replace: bool
    accepted: bool
    to_command: str | None
    identities: tuple[Hidden, ...] = ()


class State(StrEnum):
    """The outcome for a cluster's credentials."""

    SEALED = "sealed"
    UP_TO_DATE = "up to date"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One cluster: its outcome, its primaries, and the token or the fault."""

    cluster: str
    state: State
    says: str
    hint: str = ""
    exit: Exit = Exit.DONE


@dataclass(frozen=True, slots=True)
class CapturedCredentials:
    """The outcome of each cluster, the values that were put into a store, the files, and the remaining steps.

    `each` is true if the clusters were handled separately.
    """

    outcomes: tuple[Outcome, ...]
    each: bool
    warnings: tuple[str, ...]
    owed: tuple[Owed, ...]
    written: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def exit(self) -> Exit:
        """The exit code of the first cluster that failed."""
        return next((one.exit for one in self.outcomes if one.exit), Exit.DONE)


def captured_credentials(
    file: Path, choice: Choice, reach: Reach, wanted: Wanted, listener: Listener
) -> CapturedCredentials:
    """Reads and seals credentials. Checks everything that could stop the sealing before it creates anything in a
    cluster.

    Raises MeshcError: UsageError without a permission, AskError if a named cluster doesn't answer.
    """
    work = opened_work(file, listener, writes=True)
    names, each = remotes(work, choice), choice.is_open
    command = words_of(wanted.to_command) if wanted.to_command else ()
    run = _Run(work, wanted, each)
    names = run.still_lacking(names)
    clusters = live_clusters(file.parent, work.plan, names, reach) if names else None
    run.stop_early(names)
    with _taken_back() as made:
        if clusters:
            run.ask(clusters, made, listener)
        run.sealing.finish()
        recipients.update_rules(work, run.sealing.places)
        owed = tuple(run.sealing.owed)
        hand_over(owed, command)
        if owed:
            made.clear()  # the store has the tokens now
        written = work.commit()
    order = [cluster.name for cluster in work.plan.clusters]
    outcomes = sorted(run.outcomes, key=lambda one: order.index(one.cluster))
    return CapturedCredentials(
        tuple(outcomes), each, tuple(run.sealing.warnings), owed, tuple(written), tuple(run.left)
    )


_Made = list[tuple["Api", "Account", "Token"]]


@contextmanager
def _taken_back() -> Iterator[_Made]:
    """Deletes the Secrets that are created inside this context if they aren't sealed in the end."""
    made: _Made = []
    try:
        yield made
    except BaseException:  # also on Ctrl-C and on a broken pipe
        for api, account, token in made:
            forget(api.anew(), account, token.source, token.uid)
        raise


class _Run:
    """The clusters of one run, with their state between the live cluster and the sealed files."""

    def __init__(self, work: Work, wanted: Wanted, each: bool) -> None:
        self.work, self.wanted, self.each = work, wanted, each
        self.every = needs_of(work.plan)
        anew = self._anew() if each and not wanted.replace else frozenset()
        order = Order(datetime.now(UTC), wanted.primary, wanted.replace, wanted.accepted, wanted.identities, anew)
        self.order, self.sealing = order, Sealing(work, self.every, order)
        self.outcomes: list[Outcome] = []
        self.left: list[str] = []

    def still_lacking(self, names: Sequence[str]) -> list[str]:
        """The clusters except those that need nothing."""
        if not self.each or self.wanted.replace:
            return list(names)
        done = [name for name in names if self._is_sealed(name)]
        self.outcomes += [Outcome(name, State.UP_TO_DATE, "sealed already; --replace seals it again") for name in done]
        return [name for name in names if name not in done]

    def _is_sealed(self, name: str) -> bool:
        needs = [need for need in self._asked() if name in need.of]
        return bool(needs) and all(need.file not in self.order.anew and holds(self.work, need, name) for need in needs)

    def _asked(self) -> list[SecretNeed]:
        return [need for need in self.every if self.wanted.primary in (None, need.cluster)]

    def _anew(self) -> frozenset[str]:
        """Files that lack entries and whose other entries can't be kept, so all of their credentials are read again."""
        closed = [need for need in self._asked() if is_closed(self.work, need, self.wanted.identities)]
        return frozenset(need.file for need in closed if not all(holds(self.work, need, name) for name in need.of))

    def stop_early(self, names: Sequence[str]) -> None:
        """Checks everything that would stop the sealing before a token is created: an existing file, a new recipient, a
        store, a key."""
        work, wanted = self.work, self.wanted
        for name in names:
            needs = lacking(work, self.every, name, self.order)
            places = [work.plan.cluster(need.cluster) for need in needs]
            recipients.stop_on_new(work, self.every, places, wanted.accepted)
            stores = [need for need in needs if work.plan.cluster(need.cluster).sealing.in_store]
            if wanted.to_command and not stores:
                raise UsageError(f"no primary of {name} reads credentials from a store", "leave --to-command out")
            for need in needs:
                stop_on_sealed(work, need, name, wanted.replace or need.file in self.order.anew)
                if need.grows:
                    stop_on_closed(work, need, dict.fromkeys(names), wanted.identities)
                if need in stores and not wanted.to_command:
                    raise UsageError(
                        f"{need.cluster} reads credentials from a store: by which command do they get there?",
                        f"{EXAMPLE}, which is given them on its standard input",
                    )

    def ask(self, clusters: LiveClusters, made: _Made, listener: Listener) -> None:
        """Queries all clusters in parallel. Asks the person for permission before anything is created in one of
        them."""
        plan, asked = self.work.plan, Asked(self.wanted.duration, self.wanted.rotate)

        def account(api: Api) -> Account:
            server_of(api, plan.cluster(api.name))
            return look(api, plan.istio_namespace, account_of(plan.generation, plan.cluster(api.name)))

        def take(api: Api) -> tuple[Given, Token]:
            cluster, one = plan.cluster(api.name), accounts[api.name]
            token = asked.token(api, one, lambda new: made.append((api, one, new)))
            held = credentials(api, cluster, token, one.namespace, of_istiod(plan, cluster))
            return Given(held, api.name, source=token.source), token

        accounts = self._answers(clusters, list(clusters.contexts), account, listener)
        for name, one in accounts.items():
            if words := asked.change(name, one):
                clusters.reach.leave(words)
        for name, (given, token) in self._answers(clusters, list(accounts), take, listener).items():
            try:
                self.sealing.take(given, name)
            except MeshcError as error:
                self._failed(name, error)
                continue
            self.outcomes.append(Outcome(name, State.SEALED, described(token, accounts[name])))
            self.left += afterwards(plan.generation, name, token, accounts[name]) if self.wanted.replace else []
        failed = {one.cluster for one in self.outcomes if one.state is State.FAILED}
        for api, one, token in [each for each in made if each[0].name in failed]:
            forget(api.anew(), one, token.source, token.uid)

    def _answers(
        self, clusters: LiveClusters, names: Sequence[str], question: Callable[[Api], Answer], listener: Listener
    ) -> dict[str, Answer]:
        """The answers, by name, of the clusters that answered."""

        def one(api: Api) -> Answer | MeshcError:
            try:
                return question(api)
            except MeshcError as error:
                return error

        answers = clusters.ask(names, one, listener)
        found: dict[str, Answer] = {}
        for name, answer in zip(names, answers, strict=True):
            if isinstance(answer, MeshcError):
                self._failed(name, answer)
            else:
                found[name] = answer
        return found

    def _failed(self, name: str, error: MeshcError) -> None:
        """Records the error if the clusters are handled separately. Raises it otherwise."""
        if not self.each:
            raise error
        what = error.what.removeprefix(f"{name}: ")
        self.outcomes.append(Outcome(name, State.FAILED, what, error.hint, error.exit))


def remotes(work: Work, choice: Choice) -> list[str]:
    """The selected clusters whose credentials a primary needs, and all named clusters.

    Raises UsageError if there are none.
    """
    needed = {name for need in needs_of(work.plan) for name in need.of}
    found = [name for name in chosen(work.plan, choice) if name in needed or name in choice.names]
    if not found:
        raise UsageError("no primary needs credentials of these clusters", "name remotes")
    return found

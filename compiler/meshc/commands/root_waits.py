"""Computes the earliest time for the next step of a root's replacement.

Files show the committed state. Proxies get it within the lifetime of a workload's certificate.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from meshc.commands.tracked import uncommitted
from meshc.errors import MeshcError, RefusedError
from meshc.issuing import rotating
from meshc.issuing.cacerts import CA, CHAIN, ROOTS
from meshc.mesh.source import load
from meshc.pipeline import plan_mesh
from meshc.plain import count
from meshc.plan.lifetime import AT_ONCE, Lifetime, lifetime_of
from meshc.review.committed import Commits
from meshc.review.history import Changed, History
from meshc.trust.keys import IssueError
from meshc.trust.rotation import Action, Step, roots_above, roots_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from meshc.issuing.work import Work

_FUTURE = timedelta(minutes=10)
"""A commit may be this far in the future, because clocks differ."""

BY = {
    Action.REISSUE: "meshc ca rotate-root --root-key ~/new.key; if the key is in Vault or a private CA: "
    "meshc ca import CLUSTER",
    Action.DROP_OLD: "meshc ca rotate-root",
}
"""The commands of the steps that have to wait."""

_MINUTE = timedelta(seconds=59)

RESTARTED = "--workloads-restarted, once every workload was restarted after every cluster had synced that step"


@dataclass(frozen=True, slots=True)
class Wait:
    """The wait before a step: `lasts` since a commit.

    `trouble` is why the time of the commit isn't known. `pending` are the clusters whose CA is under the old root.
    """

    action: Action
    pending: tuple[str, ...]
    lasts: timedelta
    why: str
    since: datetime | None
    trouble: str

    @property
    def until(self) -> datetime | None:
        """The time, to the minute, when the step may be taken."""
        return (self.since + self.lasts + _MINUTE).replace(second=0) if self.since else None

    def over(self, now: datetime) -> bool:
        return self.until is not None and self.until <= now

    def as_json(self, now: datetime) -> dict[str, Any]:
        """The wait as data; every key is always there."""
        return {
            "next": self.action.value,
            "underOldRoot": list(self.pending),
            "since": _utc(self.since) if self.since else "",
            "until": _utc(self.until) if self.until else "",
            "allowed": self.over(now),
            "why": self.trouble or self.why,
        }


def wait_before(work: Work, step: Step, mesh: str, now: datetime) -> Wait | None:
    """The wait before the second and the third step; None before the first, which removes no trust.

    `mesh` is the name of mesh.yaml.
    """
    action = step.action
    if action not in (Action.REISSUE, Action.DROP_OLD):
        return None
    names = [cluster.name for cluster in work.plan.clusters]
    roots, issued = [work.certificate(ROOTS)], [work.certificate(CA, name) for name in names]
    compiled = [path for name in names for path in (work.cacerts(name), f"output/{name}/cacerts.yaml")]
    history = History(work.base)
    of_roots = history.last_change(roots)
    of_cas = history.last_change(issued) if action is Action.DROP_OLD else None
    lifetime = lifetime_of(work.plan)
    brought = of_roots if of_roots and (of_cas is None or of_cas.time <= of_roots.time) else None
    at_once = lifetime.sent and brought is not None and sent_as_of(work, mesh, f"{brought.commit}^1")
    changed = [one for one in (of_roots, of_cas, history.last_change(compiled)) if one]
    trouble = _trouble(work, [*roots, *issued, *compiled], changed if of_roots else [], now)
    since = None if trouble else max(one.time for one in changed)
    lasts = AT_ONCE if at_once else lifetime.longest
    return Wait(action, step.reissue, lasts, why(lifetime, at_once=at_once), since, trouble)


def rotation_under_way(work: Work, mesh: str, now: datetime) -> Wait | None:
    """The wait of the current replacement, if there is one. Other faults of the CAs are reported elsewhere."""
    try:
        step = rotating.planned(work, None)
    except MeshcError:
        return None
    return wait_before(work, step, mesh, now)


def stop_on_haste(wait: Wait, now: datetime) -> None:
    """Raises RefusedError if proxies may not have the result of the last step yet."""
    if wait.over(now):
        return
    if wait.since is None:
        raise RefusedError(f"it isn't known when the last step was committed: {wait.trouble}", RESTARTED)
    raise RefusedError(
        f'"{wait.action.value}" must wait until {shown(wait.until)}: proxies may lack the result of the last step, '
        f"committed at {shown(wait.since)}; {wait.why}",
        f"run this again then, or with {RESTARTED}",
    )


def stop_on_early_issue(work: Work, mesh: str, clusters: Iterable[str], now: datetime) -> None:
    """Raises RefusedError if the new CAs of `work` are the first under a root that proxies may lack.

    The second of two roots is the new one. A new mesh has only one root, so it needs no wait.
    """
    bundle = work.committed(work.certificate(ROOTS))
    roots = roots_in(bundle) if bundle else ()
    signing = [cluster.name for cluster in work.plan.clusters if work.committed(work.certificate(CA, cluster.name))]
    if bundle is None or len(roots) != 2 or any(_under(work.committed, work, name, roots[1]) for name in signing):
        return
    if signing and any(_under(work.read, work, name, roots[1]) for name in clusters):
        wait = wait_before(work, Step(Action.REISSUE, bundle, roots[1], tuple(signing)), mesh, now)
        if wait:
            stop_on_haste(wait, now)


def _under(read: Callable[[str], bytes | None], work: Work, cluster: str, root: bytes) -> bool:
    certificate, chain = (read(work.certificate(name, cluster)) or b"" for name in (CA, CHAIN))
    try:
        return bool(certificate and roots_above(certificate, chain, root))
    except IssueError:
        return False  # other code reports what is wrong with it


def sent_as_of(work: Work, mesh: str, commit: str) -> bool:
    """True if mesh.yaml at a commit let istiod send roots. A pod keeps the setting with which it was created."""
    try:
        commits = Commits(work.base)
        data = commits.file(commit, mesh)
        return data is not None and lifetime_of(plan_mesh(load(data, mesh, commits.at(commit)))).sent
    except MeshcError:
        return False


def shown(time: datetime | None) -> str:
    """A time for people."""
    return f"{time:%Y-%m-%d %H:%M} UTC" if time else ""


def span(time: timedelta) -> str:
    """A duration in a usual unit: 90 days, 24 hours, 30 minutes."""
    seconds = int(time.total_seconds())
    for unit, size, least in (("day", 86400, 2), ("hour", 3600, 1), ("minute", 60, 1)):
        if seconds >= size * least and seconds % size == 0:
            return count(seconds // size, unit)
    return count(seconds, "second")


def why(lifetime: Lifetime, *, at_once: bool) -> str:
    """Why a step has to wait."""
    if at_once:
        return f"istiod sends roots to proxies; a sync and that are given {span(AT_ONCE)}"
    who = "ztunnel and sidecars learn" if lifetime.ambient else "workloads learn"
    told = f"{who} roots with their next certificate, and one lasts {span(lifetime.longest)}"
    return f"{told} (the last step sent none, or mesh.yaml didn't ask for that before it)" if lifetime.sent else told


def _trouble(work: Work, paths: list[str], changed: list[Changed], now: datetime) -> str:
    """Why the time of the last step isn't known; empty if it is known."""
    pending = uncommitted(work.base, paths)
    if pending is None:
        return "this is no Git repository, or there is no git"
    if pending:
        return f"{pending[0]} isn't committed"
    if not changed:
        return f"no commit has {work.certificate(ROOTS)}"
    last = max(changed, key=lambda one: one.time)
    if last.time > now + _FUTURE:
        return f"commit {last.commit[:10]} is dated {shown(last.time)}, and here it is {shown(now)}: one clock is wrong"
    return ""


def _utc(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

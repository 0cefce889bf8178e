"""Finds the next step for each cluster: what is missing, what is stale, what isn't committed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from meshc import codes
from meshc.commands.base import base_of
from meshc.commands.compiling import compiled_whole, expected_trees, standing_trees
from meshc.commands.domains import Domains, domains_of
from meshc.commands.published import Published, published_side
from meshc.commands.tracked import uncommitted
from meshc.errors import ProblemsError, Severity
from meshc.issuing.authorities import rows
from meshc.issuing.cacerts import CA, CHAIN, ROOTS
from meshc.issuing.ending import endings, expiring
from meshc.issuing.remote import holds
from meshc.issuing.work import Work
from meshc.lowering import needs_of
from meshc.output.trees import OUTPUT, OVERLAYS, cluster_of, out_of_step
from meshc.pipeline import Compiled, plan_mesh
from meshc.plan.steps import Known, Step, steps
from meshc.tree import FileTree

if TYPE_CHECKING:
    from meshc.commands.opened import Opened
    from meshc.plan.ir import Plan

_ISSUED = {codes.CACERTS_MISSING, codes.CERTIFICATES_MISSING}
"""Problems that `meshc ca` solves: with only these, there are next steps to show, although a compile fails."""


@dataclass(frozen=True, slots=True)
class NextSteps:
    """The step of each cluster, and the inputs that aren't committed; None without Git."""

    work: Work
    steps: tuple[Step, ...]
    uncommitted: tuple[str, ...] | None
    domains: Domains | None
    roots: tuple[str, ...]
    """A line for each root that expires soon."""
    unknown: str
    """Why the published output isn't known; empty if it is."""


def next_steps(opened: Opened, against: str | None, jobs: int | None, now: datetime) -> NextSteps:
    """Compiles in memory, reads Git and the clock.

    Writes only the cache. `against` is a folder or a commit with the output/ to compare instead. Raises
    ProblemsError if mesh.yaml itself is wrong.
    """
    plan, compiled = _compiled(opened)
    return steps_of(opened, plan, expected_trees(opened, compiled, jobs) if compiled else None, against, now)


def steps_of(opened: Opened, plan: Plan, expected: FileTree | None, against: str | None, now: datetime) -> NextSteps:
    """The steps for a plan. `expected` are both trees that a compile would write; None if no compile is possible."""
    work = Work(opened.repository, plan)
    stale, side = None, None
    if expected is not None:
        output = expected.under(OUTPUT)
        if against is not None:
            side = Published(against, base_of(opened, None, against, output).output)
        else:
            side = published_side(opened, plan, output)
        if side:
            expected = expected.under(OUTPUT).at(OUTPUT)
            there = side.output.at(OUTPUT) if side.output is not None else FileTree({})
        else:
            there = standing_trees(opened, plan.mesh)
        stale = {cluster_of(path) for path, _ in out_of_step(there, expected)}
    trees = () if side else (OVERLAYS, OUTPUT)
    changed = uncommitted(work.base, [*opened.source.files, plan.certificates, plan.sealed, *trees])
    due = _due(work, now)
    known = Known(
        root=work.read(work.certificate(ROOTS)) is not None,
        unissued=_unissued(work),
        waiting=_waiting(work),
        ending=_ending(work, now),
        renewing=due,
        published=side.name if side else "",
        unknown=side is not None and side.output is None,
        stale=None if stale is None else stale - {""},
        uncommitted={cluster_of(path) for path in changed or ()} - {""},
    )
    others = tuple(path for path in changed or () if not path.startswith((f"{OVERLAYS}/", f"{OUTPUT}/")))
    domains = domains_of(work.base, plan, opened.file.name)
    roots = tuple(f"the {name} {state}: meshc ca rotate-root" for name, state in due.items() if name.startswith(_ROOT))
    unknown = f"{side.why}: {side.hint}" if side and side.output is None else ""
    left = others if changed is not None else None
    return NextSteps(work, tuple(steps(plan, known)), left, domains, roots, unknown)


_ROOT = "root"
"""The prefix of rows for roots, between the rows of clusters."""


def _due(work: Work, now: datetime) -> dict[str, str]:
    """Roots and clusters whose CA is due, each with the reason."""
    if work.plan.ca != "plugged-in":
        return {}
    found = rows(work, now, None)
    return {row.name: f"{row.state} ({row.until})" for row in found if row.expiring}


def _compiled(opened: Opened) -> tuple[Plan, Compiled | None]:
    """The compiled mesh, or only its plan if nothing except CAs is missing."""
    try:
        compiled = compiled_whole(opened)
    except ProblemsError as error:
        if any(found.severity is Severity.ERROR and found.code not in _ISSUED for found in error.problems):
            raise
        plan = plan_mesh(opened.source)
        if not _unissued(Work(opened.repository, plan)):
            raise
        return plan, None
    return compiled.plan, compiled


def _unissued(work: Work) -> set[str]:
    """Clusters whose CA, or a part of it, is missing."""
    signing = [cluster.name for cluster in work.plan.clusters if cluster.cacerts == "required"]
    public = [work.certificate(ROOTS)]
    return {
        name
        for name in signing
        for path in (*public, work.certificate(CA, name), work.certificate(CHAIN, name), work.cacerts(name))
        if work.read(path) is None
    }


def _waiting(work: Work) -> dict[str, list[str]]:
    """Clusters whose credentials are missing, and the primaries that lack them."""
    found: dict[str, list[str]] = {}
    for need in needs_of(work.plan):
        for name in need.of:
            lacking = found.setdefault(name, [])
            if need.cluster not in lacking and not holds(work, need, name):
                lacking.append(need.cluster)
    return {name: lacking for name, lacking in found.items() if lacking}


def _ending(work: Work, now: datetime) -> dict[str, str]:
    """Clusters whose credentials have expired or expire soon, from the annotation of the sealed file, each with a
    line."""
    found = [one for one in endings(work, needs_of(work.plan)) if expiring(one.end, now)]
    return {one.of: one.line(now) for one in reversed(found)}

"""`meshc next`: the one remaining step of each cluster."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from meshc import codes
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, say, show_json, tell
from meshc.cli.trusted import OfTrust, of_trust
from meshc.commands.compiling import compiled_whole, expected_trees, standing_trees
from meshc.commands.opened import Opened
from meshc.commands.tracked import uncommitted
from meshc.errors import ProblemsError, Severity
from meshc.output.trees import OUTPUT, OVERLAYS, cluster_of, out_of_step
from meshc.pipeline import Compiled, needs_of, plan_mesh
from meshc.plain import plain
from meshc.plan.steps import Known, Step, steps
from meshc.seal.cacerts import CA, CHAIN, ROOTS
from meshc.seal.ending import endings, expiring
from meshc.seal.work import Work

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.plan.ir import Plan

_ISSUED = {codes.CACERTS_MISSING, codes.CERTIFICATES_MISSING}
"""Problems that `meshc ca` solves: with these alone there are next steps to tell, though no compile."""


def next_command(file: Path, jobs: int | None, form: Format) -> None:
    """Tells the steps; exits 0 whatever they are. Raises ProblemsError where mesh.yaml itself is wrong."""
    opened = Opened(file, listener=TERMINAL)
    plan, compiled = _compiled(opened)
    work = Work(opened.repository, plan)
    stale = None
    if compiled:
        there, expected = standing_trees(opened, plan.mesh), expected_trees(opened, compiled, jobs)
        stale = {cluster_of(path) for path, _ in out_of_step(there, expected)}
    changed = uncommitted(work.base, [file.name, plan.certificates, plan.sealed, OVERLAYS, OUTPUT])
    known = Known(
        root=work.read(work.certificate(ROOTS)) is not None,
        unissued=_unissued(work),
        waiting=_waiting(work),
        ending=_ending(work),
        stale=None if stale is None else stale - {""},
        uncommitted={cluster_of(path) for path in changed or ()} - {""},
    )
    others = [path for path in changed or () if not path.startswith((f"{OVERLAYS}/", f"{OUTPUT}/"))]
    found = list(steps(plan, known))
    _show(plan, found, others if changed is not None else None, of_trust(work, file.name, datetime.now(UTC)), form)


def _compiled(opened: Opened) -> tuple[Plan, Compiled | None]:
    """The mesh compiled, or its plan alone where nothing but CAs stands in the way."""
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
        if need.of and work.read(work.sealed(need.file)) is None:
            found.setdefault(need.of, []).append(need.cluster)
    return found


def _ending(work: Work) -> dict[str, str]:
    """Clusters whose credentials have ended or end soon, by the note beside them, each with a line."""
    now = datetime.now(UTC)
    found = [one for one in endings(work, needs_of(work.plan)) if expiring(one.end, now)]
    return {one.of: one.line(now) for one in reversed(found)}


def _show(plan: Plan, found: list[Step], others: list[str] | None, trust: OfTrust, form: Format) -> None:
    if form is Format.JSON:
        listed = [asdict(step) for step in found]
        show_json({"mesh": plan.mesh, "steps": listed, "uncommitted": others, **trust.as_json()})
        return
    width = max(len(step.cluster) for step in found)
    for step in found:
        told = f"{step.cluster:<{width}}  {step.step:<8} {step.what}{f': {step.command}' if step.command else ''}"
        tell(plain(told))
    if others is None:
        say("  note: this is no Git repository, or there is no git: what is committed isn't known")
    elif others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        tell(f"to be committed as well: {plain(', '.join(others[:3]))}{more}")
    for line in trust.lines():
        tell(plain(line))

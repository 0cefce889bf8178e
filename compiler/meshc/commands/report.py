"""Collects the content of a mesh's page from the results of the other commands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from meshc.commands.ca_tree import Authority, ca_tree
from meshc.commands.compiling import compiled_whole, rendered_whole
from meshc.commands.diff import Comparison, compared
from meshc.commands.next import NextSteps, steps_of
from meshc.commands.secrets_status import Standing, owners, standings
from meshc.commands.trusted import OfTrust, of_trust
from meshc.errors import MeshcError, ProblemsError
from meshc.issuing.work import Work
from meshc.output.trees import OUTPUT, expected_tree
from meshc.pipeline import plan_mesh
from meshc.plan.routes import Routes, routes
from meshc.review.touched import Touched, touched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.commands.opened import Opened
    from meshc.errors import Problem
    from meshc.pipeline import Compiled
    from meshc.plan.ir import Plan

_LOSSES = 10_000
"""The maximum number of routes after a failure that are computed. For a larger mesh, the page refers to `meshc path
--without`."""


Sealed = tuple[tuple[Standing, str], ...]
"""Each Secret that a cluster needs, with a text about who can decrypt it."""


@dataclass(frozen=True, slots=True)
class Report:
    """The content of a mesh's page. `change` is the comparison with a base, if the user named one."""

    now: datetime
    compiled: Compiled
    next: NextSteps
    authorities: tuple[Authority, ...]
    trust: OfTrust
    sealed: Sealed
    routes: Routes
    change: Comparison | None
    touched: tuple[Touched, ...]


def report(opened: Opened, base: str | None, against: str | None, jobs: int | None, now: datetime) -> Report:
    """Compiles in memory, and reads Git. `now` is the current time. Writes only the cache.

    `base` and `against` are those of a diff. Raises ProblemsError if the mesh doesn't compile, and UsageError if there
    is nothing to compare with.
    """
    compiled = compiled_whole(opened)
    rendered = rendered_whole(opened, compiled, jobs)
    compiled = compiled.with_problems(rendered.problems)
    expected = expected_tree(compiled.layout, rendered.trees, compiled.delivery)
    wanted = base is not None or against is not None
    change = compared(opened, compiled, expected.under(OUTPUT), base, against) if wanted else None
    found = steps_of(opened, compiled.plan, expected, None, now)
    work = found.work
    return Report(
        now,
        compiled,
        found,
        ca_tree(work, now),
        of_trust(work, opened.file.name, now),
        _sealed(work, now),
        routes(compiled.plan, compiled.exports, compiled.pending, _LOSSES),
        change,
        touched(change.difference, change.dangers, change.settings) if change else (),
    )


@dataclass(frozen=True, slots=True)
class Broken:
    """A mesh that doesn't compile: its problems, and the data of its files if it has a plan."""

    now: datetime
    problems: tuple[Problem, ...]
    plan: Plan | None = None
    authorities: tuple[Authority, ...] = ()
    sealed: Sealed = ()


def broken(opened: Opened | None, problems: Sequence[Problem], now: datetime) -> Broken:
    """The known data of a mesh with these problems; `opened` is None if its text isn't even YAML."""
    ordered = tuple(sorted(problems, key=lambda problem: problem.order))
    try:
        plan = plan_mesh(opened.source) if opened else None
    except ProblemsError:
        plan = None
    if opened is None or plan is None:
        return Broken(now, ordered)
    work = Work(opened.repository, plan)
    try:
        return Broken(now, ordered, plan, tuple(ca_tree(work, now)), _sealed(work, now))
    except MeshcError:  # the problems name the file that can't be read
        return Broken(now, ordered, plan)


def _sealed(work: Work, now: datetime) -> Sealed:
    whose = owners(work.plan)
    return tuple((one, whose(one.opened_by)) for one in standings(work, now))

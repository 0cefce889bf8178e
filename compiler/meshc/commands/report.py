"""Gathers what the page of a mesh shows: what the other commands return, each of it once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from meshc.commands.ca_tree import Authority, ca_tree
from meshc.commands.compiling import compiled_whole, rendered_whole
from meshc.commands.diff import Comparison, compared
from meshc.commands.next import NextSteps, steps_of
from meshc.commands.secrets_status import Standing, standings, whose
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
"""Routes after a loss that are worked out at most: a page of a larger fleet leaves them to `meshc path --without`."""


Sealed = tuple[tuple[Standing, str], ...]
"""Each Secret that a cluster needs, and whose keys open it, in words."""


@dataclass(frozen=True, slots=True)
class Report:
    """A mesh as its page shows it. `change` is the comparison with a base, where one was named."""

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
    """Compiles in memory, looks at Git and at the time that is given. Writes only the cache.

    `base` and `against` are those of a diff. Raises ProblemsError where the mesh doesn't compile, and UsageError where
    there is nothing to compare with.
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
    """A mesh that doesn't compile: its problems, and what its files tell all the same where it has a plan."""

    now: datetime
    problems: tuple[Problem, ...]
    plan: Plan | None = None
    authorities: tuple[Authority, ...] = ()
    sealed: Sealed = ()


def broken(opened: Opened | None, problems: Sequence[Problem], now: datetime) -> Broken:
    """What is known of a mesh with these problems; `opened` is None where its text isn't even YAML."""
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
    except MeshcError:  # a file that can't be read: the problems tell which
        return Broken(now, ordered, plan)


def _sealed(work: Work, now: datetime) -> Sealed:
    return tuple((one, whose(work.plan, one.opened_by)) for one in standings(work, now))

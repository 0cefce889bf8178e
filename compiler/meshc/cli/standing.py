"""standing tells what a check of trees in step tells: of a record of an earlier run, before anything is compiled."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from meshc.cli.report import Format, count, show_problems, show_result, tell
from meshc.commands.begin import begin_reading
from meshc.commands.past import instant
from meshc.commands.remembered import InStep, recall
from meshc.disk.repository import Repository
from meshc.plain import plain

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.output.link import Link


def told_in_step(file: Path, link: Link, form: Format, *, cached: bool) -> bool:
    """Whether a record says that nothing is stale and no CA due; it has told so then."""
    repository = Repository.around(file.parent, cached=cached)
    begin_reading(repository)
    known = recall(repository, file, link)
    if known is None or known.quiet_until <= instant(datetime.now(UTC)):
        return False
    if form is Format.JSON:
        show_result("check", {"stale": [], "pending": known.pending, "expiring": []}, known.problems)
    else:
        show_problems(known.problems, form, file)
    if form is Format.TEXT:
        show_in_step(known)
    return True


def show_in_step(told: InStep) -> None:
    tell(f"in step: {count(len(told.clusters), 'cluster')}, {count(told.files, 'file')}")
    for pending in told.pending:
        tell(f"  pending    {plain(pending)}")

"""`meshc check` of trees that are up to date: prints the report, also from the record of an earlier run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.pending import grouped
from meshc.cli.report import Format, show_problems, show_result, tell
from meshc.plain import count

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.commands.last_run import InStep


def show_record(known: InStep, file: Path, form: Format) -> None:
    """Reports from a record that nothing is stale, and that no CA is due."""
    if form.is_document:
        show_result(form, "check", {"stale": [], "pending": known.pending, "expiring": []}, known.problems)
        return
    show_problems(known.problems, form, file)
    if form is Format.TEXT:
        show_in_step(known)


def show_in_step(told: InStep) -> None:
    """Reports that nothing is stale, and the pending needs of clusters."""
    tell(f"up to date: {count(len(told.clusters), 'cluster')}, {count(told.files, 'file')}")
    for pending in grouped(told.pending):
        tell(f"  pending    {pending}")

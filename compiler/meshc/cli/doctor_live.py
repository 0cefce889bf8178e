"""The part of `meshc doctor` that queries live clusters in parallel, and prints a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from meshc.capture.metrics import metrics
from meshc.capture.rows import Check, Row, State
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, say, show_result, tell, tell_bytes
from meshc.cli.table import Line, show_table
from meshc.cli.trusted import of_all
from meshc.commands.doctor import Depth, examined
from meshc.commands.opened import Opened
from meshc.commands.trusted import of_trust
from meshc.errors import Exit, UsageError
from meshc.plain import count, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.commands.clusters import Choice
    from meshc.commands.live_clusters import Reach

_COLOURS = {State.OK: "green", State.DIFFERS: "yellow", State.FAILED: "red", State.UNKNOWN: "cyan"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much to check, and whether to print metrics."""

    depth: Depth
    metrics: bool


def live_command(file: Path, choice: Choice, reach: Reach, form: Format, wanted: Wanted) -> None:
    """Prints the table or the metrics. Exits 4 if a cluster doesn't answer, 1 if one differs from the repository; with
    metrics, always 0."""
    if wanted.metrics and form is not Format.TEXT:
        raise UsageError("--metrics is a format of its own", "leave --format out")
    refuse_formats_of_problems(form)
    found = examined(Opened(file, listener=TERMINAL), file.parent, choice, reach, wanted.depth)
    if wanted.metrics:
        tell_bytes(metrics(found.work.plan.mesh, found.rows, datetime.now(UTC)).encode())
        return
    unasked = any(row.check is Check.API_SERVER and row.state is State.FAILED for row in found.rows)
    wrong = any(row.state in (State.DIFFERS, State.FAILED) for row in found.rows)
    end = Exit.TOOL if unasked else Exit.DIFFERS if wrong else Exit.DONE
    mesh, trust = found.work.plan.mesh, of_trust(found.work, file.name, datetime.now(UTC))
    if form.is_document:
        told = {"mesh": mesh, "clusters": [row.as_json() for row in found.rows], **trust.as_json()}
        show_result(form, "doctor", told, end=end)
    else:
        show_rows(found.rows)
        for line in of_all(trust):
            tell(plain(line))
        show_count(found.rows)
    if end:
        raise typer.Exit(end)


def refuse_formats_of_problems(form: Format) -> None:
    """Raises UsageError for a format that would be empty, and look as if nothing were wrong."""
    if form in (Format.SARIF, Format.JUNIT, Format.GITLAB):
        raise UsageError(f"--format {form} holds problems of files, and no rows of live clusters", "--format json")


def show_rows(rows: Sequence[Row]) -> None:
    """The rows of each cluster, with hints."""
    show_table(("CLUSTER", "STATE", "WHAT", "FOUND"), map(_line, rows))


def _line(row: Row) -> Line:
    notes = [str(row.place)] if row.place else []
    notes += [f"hint: {row.hint}"] if row.hint else []
    return Line((row.cluster, row.state, row.what, row.says), notes, _COLOURS[row.state])


def show_count(rows: Sequence[Row]) -> None:
    """The number of checked clusters, and of faults."""
    wrong = sum(row.state in (State.DIFFERS, State.FAILED) for row in rows)
    say(f"{count(len({row.cluster for row in rows}), 'cluster')} asked, {wrong or 'nothing'} to fix")

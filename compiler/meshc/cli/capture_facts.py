"""Prints `meshc capture facts`: the facts of clusters beside those in mesh.yaml, and writes them into mesh.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from meshc.capture.rows import Check, State
from meshc.cli.doctor_live import refuse_formats_of_problems, show_count, show_rows
from meshc.cli.edits import show_edits
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, show_result
from meshc.commands.capture_facts import captured_facts
from meshc.commands.edit import edited
from meshc.commands.opened import opened_for
from meshc.errors import Exit

if TYPE_CHECKING:
    from meshc.commands.clusters import Choice
    from meshc.commands.live_clusters import Reach


def facts_command(file: Path, choice: Choice, reach: Reach, write: bool, form: Format) -> None:
    """Exits 1 if something differs and isn't written, 4 if a cluster doesn't answer."""
    refuse_formats_of_problems(form)
    opened = opened_for(file, TERMINAL, writes=write)
    found = captured_facts(opened, file.parent, choice, reach)
    failed = {row.check for row in found.rows if row.state is State.FAILED}
    unasked = bool(failed & {Check.API_SERVER, Check.UNTOLD})
    differs = any(row.state is State.DIFFERS for row in found.rows) and not write
    end = Exit.TOOL if unasked else Exit.DIFFERS if differs else Exit.DONE
    if form.is_document:
        told = {"mesh": found.mesh, "clusters": [row.as_json() for row in found.rows]}
        show_result(form, "capture facts", told, end=end)
    else:
        show_rows(found.rows)
        show_count(found.rows)
    if form is Format.TEXT and found.values:
        show_edits(edited(opened, found.values, write=write), written=write)
    if end:
        raise typer.Exit(end)

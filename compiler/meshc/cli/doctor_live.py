"""What `meshc doctor` does with living clusters: asks all of them at once, and shows a table."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from meshc.capture.rows import Check, Row, State
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, count, paint, say, show_json, tell
from meshc.cli.trusted import OfTrust, of_trust
from meshc.commands.doctor import examined
from meshc.commands.opened import Opened
from meshc.errors import Exit
from meshc.plain import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.commands.living import Reach

_COLOURS = {State.OK: "green", State.DIFFERS: "yellow", State.FAILED: "red", State.UNKNOWN: "cyan"}


def live_command(file: Path, names: Sequence[str], reach: Reach, form: Format) -> None:
    """Exits 4 where a cluster can't be asked, 1 where one isn't as the repository says."""
    found = examined(Opened(file, listener=TERMINAL), file.parent, names, reach)
    show_rows(found.work.plan.mesh, found.rows, form, of_trust(found.work, file.name, datetime.now(UTC)))
    unasked = any(row.check is Check.API_SERVER and row.state is State.FAILED for row in found.rows)
    if unasked or any(row.state in (State.DIFFERS, State.FAILED) for row in found.rows):
        raise typer.Exit(Exit.TOOL if unasked else Exit.DIFFERS)


def show_rows(mesh: str, rows: Sequence[Row], form: Format, trust: OfTrust | None = None) -> None:
    """A table, or the rows as data."""
    if form is Format.JSON:
        show_json({"mesh": mesh, "clusters": [row.as_json() for row in rows], **(trust.as_json() if trust else {})})
        return
    for row in rows:
        state = paint(f"{row.state:<8}", _COLOURS[row.state], sys.stdout)
        tell(f"{row.cluster:<20} {state} {row.what:<24} {plain(row.says)}")
        if row.place:
            tell(f"{'':<29} {'':<24} {plain(str(row.place))}")
        if row.hint:
            tell(f"{'':<29} {'':<24} hint: {plain(row.hint)}")
    for line in trust.lines() if trust else ():
        tell(plain(line))
    wrong = sum(row.state in (State.DIFFERS, State.FAILED) for row in rows)
    say(f"{count(len({row.cluster for row in rows}), 'cluster')} asked, {wrong or 'nothing'} to mend")

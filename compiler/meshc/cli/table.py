"""Formats rows as a table in which each column is as wide as its widest cell."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from meshc.cli.report import paint, tell
from meshc.plain import plain

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Line:
    """The cells of a row, and notes below it. `colour` is the colour of the second cell, which shows a state."""

    cells: Sequence[str]
    notes: Sequence[str] = ()
    colour: str = ""


def show_table(headers: Sequence[str], rows: Iterable[Line]) -> None:
    """Prints the headers and the rows; nothing if there is no row."""
    lines = [Line([plain(cell) for cell in row.cells], row.notes, row.colour) for row in rows]
    if not lines:
        return
    columns = zip(headers, *(line.cells for line in lines), strict=True)
    widths = [max(map(cell_len, column)) for column in columns]
    tell(_GAP.join(map(_padded, headers, widths)).rstrip())
    for line in lines:
        cells = [_padded(cell, width) for cell, width in zip(line.cells, widths, strict=True)]
        if line.colour:
            cells[1] = paint(cells[1], line.colour, sys.stdout)
        tell(_GAP.join(cells).rstrip())
        for note in line.notes:
            tell(f"{'':<{widths[0]}}{_GAP}{plain(note)}")


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))

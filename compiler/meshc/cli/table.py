"""Formats rows as a table. Each column is as wide as its widest cell, unless the terminal is too narrow."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len

from meshc.cli.report import columns_of, paint, tell
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
    columns = [*zip(headers, *(line.cells for line in lines), strict=True)]
    widths = _widths(columns, columns_of(sys.stdout))
    tell(_GAP.join(map(_padded, headers, widths)).rstrip())
    for line in lines:
        for number, cells in enumerate(_lines(line.cells, widths)):
            padded = [_padded(cell, width) for cell, width in zip(cells, widths, strict=True)]
            if line.colour and number == 0:
                padded[1] = paint(padded[1], line.colour, sys.stdout)
            tell(_GAP.join(padded).rstrip())
        for note in line.notes:
            tell(f"{'':<{widths[0]}}{_GAP}{plain(note)}")


def _widths(columns: Sequence[Sequence[str]], room: int | None) -> list[int]:
    """The width of each column: that of its widest cell. In a narrower terminal: that of its longest word, and a share
    of the rest.

    If even the longest words are too wide, no line is wrapped, because a path or a command must stay in one piece.
    """
    whole = [max(map(cell_len, column)) for column in columns]
    words = [max(cell_len(word) for cell in column for word in cell.split(" ")) for column in columns]
    left = (room or 0) - sum(words) - len(_GAP) * (len(columns) - 1)
    if room is None or left < 0:
        return whole
    widths = [0] * len(columns)
    shared = sorted(range(len(columns)), key=lambda number: whole[number] - words[number])
    for place, number in enumerate(shared):
        more = min(whole[number] - words[number], left // (len(shared) - place))
        widths[number], left = words[number] + more, left - more
    return widths


def _lines(cells: Sequence[str], widths: Sequence[int]) -> Iterable[tuple[str, ...]]:
    """A row with its cells wrapped at spaces; one line if every cell fits."""
    folded = [
        textwrap.wrap(cell, width, break_long_words=False, break_on_hyphens=False) if cell_len(cell) > width else [cell]
        for cell, width in zip(cells, widths, strict=True)
    ]
    return zip_longest(*folded, fillvalue="")


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))

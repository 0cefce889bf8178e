"""excerpt turns a place in mesh.yaml into its line with a caret under it."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from meshc.plain import plain

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.errors import Place

_BREAK = re.compile("\r\n|[\n\r\u0085\u2028\u2029]")  # what ends a line in YAML 1.1, by which places are counted
_PRIVATE = re.compile(
    r"(?<!\S)(?>\S*?://)[^\s@?#]*+[@?#]|eyJ[\w-]{8}|PRIVATE KEY|AGE-SECRET-KEY|(?i:token|password)[\"']?\s*:"
)
"""Lines that are never shown: a URL that may carry a password or token, a token, a key."""

_WIDTH, _BEFORE = 100, 60


class Excerpts:
    """Lines of one mesh.yaml. Of no other file: a line of a sealed file or a manifest may hold what nobody may see."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._private: dict[int, bool] = {}

    def at(self, place: Place) -> list[str]:
        """The line of a place, numbered, and the caret below; nothing where there is no such line to show."""
        if self._file is None or place.file != self._file.as_posix() or not 0 < place.line <= len(self._lines):
            return []
        line = self._lines[place.line - 1]
        if self._is_private(place.line):
            return []
        column = min(place.column - 1, len(line))
        start = max(0, column - _BEFORE) if len(line) > _WIDTH else 0
        before, after = plain(line[start:column]), plain(line[column : start + _WIDTH])
        before = f"...{before}" if start else before
        after = f"{after}..." if start + _WIDTH < len(line) else after
        number = f"{place.line:>5} | "
        return [f"{number}{before}{after}".rstrip(), f"{'| ':>{len(number)}}{' ' * _columns(before)}^"]

    def _is_private(self, number: int) -> bool:
        """Whether a line is never shown. Each is searched once, for thousands of problems may stand in a long one."""
        if number not in self._private:
            self._private[number] = _PRIVATE.search(self._lines[number - 1]) is not None
        return self._private[number]

    @cached_property
    def _lines(self) -> list[str]:
        assert self._file is not None, "asked for only where there is a file"  # noqa: S101
        try:
            data = self._file.read_bytes()
        except OSError:
            return []
        return [] if b"\0" in data else _BREAK.split(data.decode(errors="replace").removeprefix("\ufeff"))


def _columns(text: str) -> int:
    """How wide a terminal shows the text: East Asian characters take two columns, combining marks none."""
    import unicodedata

    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)

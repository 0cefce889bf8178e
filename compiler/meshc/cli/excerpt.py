"""Shows the line of a problem in mesh.yaml or a part, with a caret under the place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from meshc.plain import plain

if TYPE_CHECKING:
    from meshc.errors import Place

_BREAK = re.compile("\r\n|[\n\r\u0085\u2028\u2029]")  # the line breaks of YAML 1.1, by which lines are counted
_PRIVATE = re.compile(
    r"(?<!\S)(?>\S*?://)[^\s@?#]*+[@?#]|eyJ[\w-]{8}|PRIVATE KEY|AGE-SECRET-KEY|(?i:token|password)[\"']?\s*:"
)
"""Lines that are never shown: a URL that may contain a password or token, a token, a key."""

_WIDTH, _BEFORE = 100, 60
_LEAST, _AROUND = 30, len("12345 | ......")

_PART = re.compile(r"""(?m)^["']?kind["']?:[ \t]{0,8}["']?MeshPart\b""")


class Excerpts:
    """Lines of one mesh.yaml and its parts.

    Lines of other files are never shown, because a sealed file or a manifest may contain a secret.
    """

    def __init__(self, file: Path | None, columns: int | None = None) -> None:
        """`columns` is the width of the terminal. No line is longer, so that the caret stays below its place."""
        self._file = file
        self._width = max(_LEAST, min(_WIDTH, columns - _AROUND)) if columns else _WIDTH
        self._lines: dict[str, list[str]] = {}
        self._private: dict[tuple[str, int], bool] = {}

    def at(self, place: Place) -> list[str]:
        """The line of a place with its number, and the caret below; empty if there is no such line, or if it must not
        be shown."""
        if self._file is None or not 0 < place.line <= len(lines := self._lines_of(place.file, self._file)):
            return []
        line = lines[place.line - 1]
        if self._is_private(place.file, place.line):
            return []
        column = min(place.column - 1, len(line))
        start = max(0, column - self._width * _BEFORE // _WIDTH) if len(line) > self._width else 0
        before, after = plain(line[start:column]), plain(line[column : start + self._width])
        before = f"...{before}" if start else before
        after = f"{after}..." if start + self._width < len(line) else after
        number = f"{place.line:>5} | "
        return [f"{number}{before}{after}".rstrip(), f"{'| ':>{len(number)}}{' ' * _columns(before)}^"]

    def _is_private(self, file: str, number: int) -> bool:
        """True if a line must not be shown. Each line is searched only once, because a long line may have thousands of
        problems."""
        if (file, number) not in self._private:
            self._private[file, number] = _PRIVATE.search(self._lines[file][number - 1]) is not None
        return self._private[file, number]

    def _lines_of(self, file: str, mesh: Path) -> list[str]:
        if file not in self._lines:
            self._lines[file] = _read(Path(file), is_mesh=file == mesh.as_posix())
        return self._lines[file]


def _read(path: Path, *, is_mesh: bool) -> list[str]:
    """The lines of a file; empty unless it is mesh.yaml or a part."""
    if not is_mesh and (path.is_symlink() or path.suffix not in (".yaml", ".yml")):
        return []
    try:
        data = path.read_bytes()
    except OSError:
        return []
    text = data.decode(errors="replace").removeprefix("\ufeff")
    return _BREAK.split(text) if b"\0" not in data and (is_mesh or _PART.search(text)) else []


def _columns(text: str) -> int:
    """The width of the text on a terminal: East Asian characters take two columns, combining marks none."""
    import unicodedata

    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)

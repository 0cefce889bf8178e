"""Searches files for secrets in plain text: files in a repository, or files that the next commit would add."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from meshc import codes
from meshc.commands.tracked import staged, tracked
from meshc.disk.named import read_named
from meshc.errors import ProblemsError, RefusedError, UsageError
from meshc.plain import plain
from meshc.scanning.guard import plain_objects, plaintext_in
from meshc.scanning.needles import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.commands.listener import Listener
    from meshc.errors import Problem

_PASSED_OVER = {".git", ".venv", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache"}
_LARGEST = 256 << 20
"""The largest file in bytes. A larger file isn't read, and the scan fails."""
_PIECE, _OVERLAP = 8 << 20, 64 << 10
"""The size of a piece, and the overlap of neighbouring pieces. The overlap is longer than any key, so no key is cut."""
_OBJECT = re.compile(
    rb"""^[ \t]*["']?kind["']?[ \t]*:[ \t]*["']?(?:(?:Sealed|External)?Secret|Config|[A-Za-z]*List)\b""", re.MULTILINE
)


def scanned(paths: Sequence[Path], listener: Listener, *, only_staged: bool) -> int:
    """The number of searched files. Raises ProblemsError with every place of a secret in plain text."""
    found: list[Problem] = []
    seen: set[Path] = set()
    for path, data in _staged(paths) if only_staged else _standing(paths, listener):
        if path not in seen:
            seen.add(path)
            found += _leaks(data, path.as_posix())
    if found:
        raise ProblemsError(found)
    return len(seen)


def _leaks(data: bytes, shown: str) -> list[Problem]:
    leaks = _plaintext(data, shown)
    # The file's name doesn't matter: text that isn't YAML, such as a guide with examples, has no objects.
    if not leaks and (shown.endswith((".yaml", ".yml", ".json")) or _OBJECT.search(readable(data))):
        leaks = list(plain_objects(data, shown))
    return leaks


def _plaintext(data: bytes, shown: str) -> list[Problem]:
    """The first place of each kind of secret, piece by piece."""
    found: dict[str, Problem] = {}
    before = 0
    for start in range(0, max(len(data), 1), _PIECE):
        for leak in plaintext_in(data[start : start + _PIECE + _OVERLAP], shown, codes.PLAINTEXT_SECRET):
            place = replace(leak.place, line=leak.place.line + before)
            found.setdefault(leak.what, replace(leak, place=place))
        before += data.count(b"\n", start, start + _PIECE)
    return list(found.values())


def _staged(paths: Sequence[Path]) -> Iterator[tuple[Path, bytes]]:
    for given in paths:
        _stop_without(given)
        for path, data in staged(given, _LARGEST):
            if data is None:
                _stop_on_too_large(path)
            else:
                yield path, data


def _standing(paths: Sequence[Path], listener: Listener) -> Iterator[tuple[Path, bytes]]:
    for path in dict.fromkeys(file for given in paths for file in _files(given)):
        if not path.is_file():
            yield path, read_named(path)
            continue
        try:
            if path.stat().st_size > _LARGEST:
                _stop_on_too_large(path)
            yield path, path.read_bytes()
        except OSError as error:
            listener.note(f"  note: {plain(str(path))} can't be read: {error.strerror}")


def _files(path: Path) -> Iterator[Path]:
    """A named file, even if Git ignores it; or the files of a folder that Git tracks or would add."""
    _stop_without(path)
    if not path.is_dir():
        yield path
        return
    # If Git has no file of the folder, it is ignored as a whole, but the user who names it wants it searched.
    for file in tracked(path) or _walked(path):
        if file.is_file() and not file.is_symlink():
            yield file


def _walked(path: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if name not in _PASSED_OVER)
        for name in sorted(names):
            yield Path(folder) / name


def _stop_without(path: Path) -> None:
    if not path.exists():
        raise UsageError(f'"{path}" isn\'t there')


def _stop_on_too_large(path: Path) -> None:
    raise RefusedError(f'"{path}" is larger than {_LARGEST >> 20} MiB, and isn\'t searched', "name the files beside it")

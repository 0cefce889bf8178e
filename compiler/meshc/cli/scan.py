"""`meshc secrets scan`: the files that are in a repository or would be, searched for secrets in plain text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from meshc import codes
from meshc.cli.report import Format, count, say, show_json, tell
from meshc.cli.tracked import staged, tracked
from meshc.errors import ProblemsError, UsageError
from meshc.secrets.guard import plain_objects, plaintext_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.errors import Problem

_PASSED_OVER = {".git", ".meshc", ".venv", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache"}
_LARGEST = 8 << 20
"""Bytes: a manifest or a certificate is smaller, and what is larger is told."""


def scan_command(paths: Sequence[Path], only_staged: bool, form: Format) -> None:
    """Raises ProblemsError, exit 5, with every place where a secret stands in plain text."""
    found: list[Problem] = []
    seen: set[Path] = set()
    for path, data in _staged(paths) if only_staged else _standing(paths):
        if path not in seen:
            seen.add(path)
            found += _leaks(data, path.as_posix())
    if found:
        raise ProblemsError(found)
    if form is Format.JSON:
        show_json({"files": len(seen), "problems": []})
    else:
        tell(f"no secret in plain text in {count(len(seen), 'staged file' if only_staged else 'file')}")


def _leaks(data: bytes, shown: str) -> list[Problem]:
    leaks = list(plaintext_in(data, shown, codes.PLAINTEXT_SECRET))
    if not leaks and shown.endswith((".yaml", ".yml", ".json")):
        leaks = list(plain_objects(data, shown))
    return leaks


def _staged(paths: Sequence[Path]) -> Iterator[tuple[Path, bytes]]:
    for given in paths:
        _stop_without(given)
        for path, data in staged(given, _LARGEST):
            if data is None:
                _too_large(path)
            else:
                yield path, data


def _standing(paths: Sequence[Path]) -> Iterator[tuple[Path, bytes]]:
    for path in dict.fromkeys(file for given in paths for file in _files(given)):
        try:
            if path.stat().st_size > _LARGEST:
                _too_large(path)
                continue
            yield path, path.read_bytes()
        except OSError as error:
            say(f"  note: {path} can't be read: {error.strerror}")


def _files(path: Path) -> Iterator[Path]:
    """A file that is named, whatever Git thinks of it; of a folder what Git holds or would add."""
    _stop_without(path)
    if path.is_file():
        yield path
        return
    # Where Git holds nothing of a folder it is ignored as a whole: who names it wants it searched.
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


def _too_large(path: Path) -> None:
    say(f"  note: {path} is larger than {_LARGEST >> 20} MiB and wasn't searched")

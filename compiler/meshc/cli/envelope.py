"""Writes the result of a command as a JSON document that always has the same keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from meshc.cli.shapes import SHAPES
from meshc.errors import Rename
from meshc.plain import plain

if TYPE_CHECKING:
    from meshc.errors import Exit, Fix, MeshcError, Problem

VERSION = 1
"""The version of the format. It increases when a key changes its meaning or is removed, but not for new keys."""

KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType({command: tuple(shapes) for command, shapes in SHAPES.items()})
"""The keys that each command adds. A key without data, for example after an error, is null."""


def document(
    command: str, own: Mapping[str, Any], problems: Iterable[Problem], end: Exit, error: MeshcError | None = None
) -> dict[str, Any]:
    """The document of a command: the keys of every command, then its own keys."""
    keys = KEYS[command]
    assert own.keys() <= set(keys), f"{command} has keys that aren't documented"  # noqa: S101
    return {
        "version": VERSION,
        "command": command,
        "exit": int(end),
        "error": _plain(error.what) if error else "",
        "hint": _plain(error.hint) if error else "",
        "problems": [as_json(problem) for problem in problems],
        **{key: own.get(key) for key in keys},
    }


def as_json(problem: Problem) -> dict[str, Any]:
    """A problem as data; every key is always there."""
    place = problem.place
    return {
        "code": problem.code.id,
        "severity": str(problem.severity),
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "path": problem.path,
        "what": problem.what,
        "hint": problem.hint,
        "also": [str(other) for other in problem.also],
        "clusters": list(problem.clusters),
        "fix": _fix(problem.fix),
    }


def _fix(fix: Fix | None) -> dict[str, Any] | None:
    """The fix of a problem: a new text at its place, or a new name of its file."""
    if fix is None:
        return None
    return {"rename": fix.to} if isinstance(fix, Rename) else {"was": fix.was, "value": fix.value}


def _plain(text: str) -> str:
    return "\n".join(map(plain, text.split("\n")))

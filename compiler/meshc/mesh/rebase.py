"""Makes paths that are relative to a part relative to mesh.yaml. The model marks which texts are paths."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from pydantic import BaseModel

from meshc.mesh.model import PartSpec, RelativePath

if TYPE_CHECKING:
    from meshc.errors import Path

EACH = "*"
"""A step to every item of a list or mapping."""


def rebased(key: str, entries: tuple[Any, ...], folder: str, home: str) -> tuple[Any, ...]:
    """The entries of a list of spec in a part, with every path relative to mesh.yaml.

    `folder` leads from mesh.yaml to the part, `home` from the top of the repository to mesh.yaml.
    """

    def moved(path: str) -> str:
        if not path or path.startswith("/"):
            return path  # not an allowed path: it is reported as written
        top = posixpath.normpath(posixpath.join(home, folder, path))
        outside = top == ".." or top.startswith("../")
        return posixpath.normpath(posixpath.join(folder, path)) if outside else posixpath.relpath(top, home)

    for path in paths_below(key):
        entries = tuple(_changed(entry, path[1:], moved) for entry in entries)
    return entries


def _changed(value: Any, path: Path, change: Callable[[str], str]) -> Any:
    if not path:
        return change(value) if isinstance(value, str) else value
    step, *below = path
    if step == EACH and isinstance(value, tuple):
        return tuple(_changed(one, tuple(below), change) for one in value)
    if step == EACH and isinstance(value, dict):
        return {key: _changed(one, tuple(below), change) for key, one in value.items()}
    if isinstance(value, dict) and step in value:
        return {**value, step: _changed(value[step], tuple(below), change)}
    return value


@cache
def paths_below(key: str) -> tuple[Path, ...]:
    """The positions of paths in the entries of a list of spec; the first step leads to each entry."""
    field = next(field for field in PartSpec.model_fields.values() if field.alias == key)
    return tuple(dict.fromkeys(_paths(field.annotation, list(field.metadata), ())))


def _paths(annotation: Any, metadata: list[Any], at: Path) -> Iterator[Path]:
    if any(isinstance(one, RelativePath) for one in metadata):
        yield at
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for field in annotation.model_fields.values():
            yield from _paths(field.annotation, list(field.metadata), (*at, str(field.alias)))
    elif hasattr(annotation, "__metadata__"):
        yield from _paths(annotation.__origin__, list(annotation.__metadata__), at)
    elif get_origin(annotation) is tuple:
        yield from _paths(get_args(annotation)[0], [], (*at, EACH))
    elif get_origin(annotation) is dict:
        yield from _paths(get_args(annotation)[1], [], (*at, EACH))
    elif get_origin(annotation) in (Union, UnionType):
        for one in get_args(annotation):
            yield from _paths(one, [], at)

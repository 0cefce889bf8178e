"""Finds values in an object, at any depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Facts = dict[str, str]
"""Clauses by their text, each with a value that changes together with the fact."""


def values_of(value: Any, key: str, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value under a key of this name, at any depth."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name == key:
                yield path, item
            yield from values_of(item, key, (*path, str(name)))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from values_of(item, key, path)


def texts(value: Any) -> Iterator[str]:
    """Every text in an object."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value

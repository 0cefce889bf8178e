"""The values of a YAML document and their places, found by path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from meshc.errors import Path
from meshc.yamltext.document import Mark
from meshc.yamltext.scalars import is_rewritten

_Found = TypeVar("_Found")


@dataclass(slots=True)
class Node:
    """A value and its place. `text` is a scalar's characters; an alias shares its target's `entries`."""

    mark: Mark
    value: Any = None
    text: str | None = None
    plain: bool = False
    entries: dict[str | int, tuple[Mark | None, Node]] | None = None
    alias: bool = False


def spots(root: Node) -> tuple[Mapping[Path, Mark], Mapping[Path, Mark], Mapping[Path, str]]:
    """The place of each value and of each key, and the texts of `Document.texts`."""
    return _Spots(root, _value), _Spots(root, _key), _Spots(root, _text)


class _Spot(NamedTuple):
    """A node with the place of its key and, if it is inside an alias, the place of the alias, which is then its own
    place."""

    node: Node
    key: Mark | None
    alias: Mark | None

    def below(self) -> Iterator[tuple[str | int, _Spot]]:
        alias = self.inner
        for step, (key, entry) in (self.node.entries or {}).items():
            yield step, _Spot(entry, key, alias)

    @property
    def inner(self) -> Mark | None:
        return self.alias or (self.node.mark if self.node.alias else None)


class _Spots(Mapping[Path, _Found]):
    """Computes places only on request: for most documents few or none are requested."""

    def __init__(self, root: Node, told: Callable[[_Spot], _Found | None]) -> None:
        self._root, self._told = root, told

    def __getitem__(self, path: Path) -> _Found:
        spot = _Spot(self._root, None, None)
        for step in path:
            key, entry = (spot.node.entries or {})[step]
            spot = _Spot(entry, key, spot.inner)
        found = self._told(spot)
        if found is None:
            raise KeyError(path)
        return found

    def __iter__(self) -> Iterator[Path]:
        waiting: list[tuple[Path, _Spot]] = [((), _Spot(self._root, None, None))]
        while waiting:
            path, spot = waiting.pop()
            waiting += [((*path, step), below) for step, below in spot.below()]
            if self._told(spot) is not None:
                yield path

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _value(spot: _Spot) -> Mark:
    return spot.alias or spot.node.mark


def _key(spot: _Spot) -> Mark | None:
    return spot.key and (spot.alias or spot.key)


def _text(spot: _Spot) -> str | None:
    node = spot.node
    if node.entries is not None or not node.plain or node.text is None:
        return None
    told = not isinstance(node.value, str) or (node.text[:1].isdigit() and is_rewritten(node.text, node.value))
    return node.text if told else None

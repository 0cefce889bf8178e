"""Bundles similar things of a picture, so that the picture of a large mesh stays small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshc.plan.picture.parts import Kind, Picture, Thing


@dataclass(frozen=True, slots=True)
class Limits:
    """The most bundles and arrows of a picture, and the most things that are drawn without bundling."""

    alone: int = 8
    bundles: int = 16
    arrows: int = 40


@dataclass(frozen=True, slots=True)
class Arrow:
    """The links of one kind between two bundles (given by number): their count, and the names of their Services."""

    source: int
    target: int
    kind: Kind
    links: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bundled:
    """The bundles of a picture, in the picture's order, and the arrows between them."""

    bundles: tuple[tuple[Thing, ...], ...]
    arrows: tuple[Arrow, ...]


_Key = Callable[["Thing"], object]
_Groups = dict[str, int]
"""The number of the bundle of each thing, by its name."""


def bundled(picture: Picture, limits: Limits) -> Bundled:
    """Bundles as finely as the limits allow; if nothing stays within the limits, as coarsely as possible.

    Things of one bundle have the same role. With finer bundling they also have the same network, version and links.
    """
    for key, links, names in _WAYS:
        if key is _name and len(picture.things) > limits.alone:
            continue
        found = _made(picture, _grouped(picture, key, links=links, names=names))
        if len(found.bundles) <= limits.bundles and len(found.arrows) <= limits.arrows:
            break
    return found


def _name(thing: Thing) -> object:
    return thing.name


def _place_and_version(thing: Thing) -> object:
    return thing.role, thing.mark, thing.network, thing.about


def _place(thing: Thing) -> object:
    return thing.role, thing.mark, thing.network


def _role(thing: Thing) -> object:
    return thing.role, thing.mark


_WAYS: Sequence[tuple[_Key, bool, bool]] = (
    (_name, False, False),
    (_place_and_version, True, True),
    (_place_and_version, True, False),
    (_place, True, False),
    (_place, False, False),
    (_role, True, False),
    (_role, False, False),
)
"""The ways of bundling, finest first: the equal properties, then whether links and their names must be equal too."""


def _grouped(picture: Picture, key: _Key, *, links: bool, names: bool) -> _Groups:
    """Splits bundles until all things of a bundle have links of the same kinds to the same bundles."""
    groups = _numbered({thing.name: key(thing) for thing in picture.things})
    while links:
        seen: dict[str, set[object]] = {thing.name: set() for thing in picture.things}
        for link in picture.links:
            called = link.names if names else ()
            if link.source in seen and link.target in seen:
                seen[link.source].add(("out", link.kind, groups[link.target], called))
                seen[link.target].add(("in", link.kind, groups[link.source], called))
        finer = _numbered({name: (groups[name], frozenset(found)) for name, found in seen.items()})
        if len({*finer.values()}) == len({*groups.values()}):
            break
        groups = finer
    return groups


def _numbered(keys: Mapping[str, object]) -> _Groups:
    numbers: dict[object, int] = {}
    return {name: numbers.setdefault(key, len(numbers)) for name, key in keys.items()}


def _made(picture: Picture, groups: _Groups) -> Bundled:
    bundles: dict[int, list[Thing]] = {}
    for thing in picture.things:
        bundles.setdefault(groups[thing.name], []).append(thing)
    counts: dict[tuple[int, int, Kind], int] = {}
    names: dict[tuple[int, int, Kind], dict[str, None]] = {}
    for link in picture.links:
        if link.source in groups and link.target in groups:
            arrow = groups[link.source], groups[link.target], link.kind
            counts[arrow] = counts.get(arrow, 0) + 1
            names.setdefault(arrow, {}).update(dict.fromkeys(link.names))
    arrows = [Arrow(*arrow, number, tuple(names[arrow])) for arrow, number in counts.items()]
    return Bundled(tuple(map(tuple, bundles.values())), tuple(arrows))

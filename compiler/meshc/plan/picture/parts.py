"""What a picture of a mesh shows: things, which are clusters or what clusters deal with, and links between them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal[
    "control plane",
    "configuration",
    "watches",
    "calls",
    "calls through a gateway",
    "signs the CA",
    "signs for",
    "reads",
    "applies",
]
"""What a link means. It leads from whoever calls, or acts, to whoever is called, or acted on."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A cluster by its name and role; or a root, an engine, a repository. `about` tells two of one role apart.

    `mark` is what becomes of a cluster, in the picture of a change.
    """

    name: str
    role: str
    network: str | None = None
    about: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link between two things; `names` are the Services that are called."""

    source: str
    target: str
    kind: Kind
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """Things and links. `note` is told instead of links, where there are none to show."""

    things: tuple[Thing, ...]
    links: tuple[Link, ...]
    note: str = ""

    def around(self, names: Collection[str]) -> Picture:
        """The things by name, and those that a link joins to one of them."""
        near = {*names}
        for link in self.links:
            if link.source in names or link.target in names:
                near |= {link.source, link.target}
        return self.of(near)

    def of(self, names: Collection[str]) -> Picture:
        """The things by name alone."""
        kept = frozenset(names)
        things = tuple(thing for thing in self.things if thing.name in kept)
        links = tuple(link for link in self.links if link.source in kept and link.target in kept)
        return replace(self, things=things, links=links)

"""The parts of a picture: things (clusters, roots, engines, repositories), and the links between them."""

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
"""The meaning of a link. A link leads from the thing that calls or acts to the thing that is called or acted on."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A cluster, root, engine or repository, with its name and role. `about` distinguishes things with one role.

    `mark` says how a cluster changes, in the picture of a change.
    """

    name: str
    role: str
    network: str | None = None
    about: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link between two things; `names` has the Services that are called."""

    source: str
    target: str
    kind: Kind
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """Things and links. `note` is a text that is shown instead if there are no links."""

    things: tuple[Thing, ...]
    links: tuple[Link, ...]
    note: str = ""

    def around(self, names: Collection[str]) -> Picture:
        """The part of the picture with the named things, and the things linked to them."""
        near = {*names}
        for link in self.links:
            if link.source in names or link.target in names:
                near |= {link.source, link.target}
        return self.of(near)

    def of(self, names: Collection[str]) -> Picture:
        """The part of the picture with only the named things."""
        kept = frozenset(names)
        things = tuple(thing for thing in self.things if thing.name in kept)
        links = tuple(link for link in self.links if link.source in kept and link.target in kept)
        return replace(self, things=things, links=links)

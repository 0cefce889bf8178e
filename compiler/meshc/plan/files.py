"""The user's files in a cluster's overlay: objects, patches and components."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from meshc.errors import Path, Place


@dataclass(frozen=True, slots=True)
class UserObject:
    """An object, or a patch, in a user's file, with its place."""

    body: Any
    place: Place
    locate: Callable[[Path], Place] | None = field(default=None, repr=False, compare=False)

    def at(self, path: Path) -> Place:
        """The place of a path in the object; if the path doesn't exist, the place of its nearest parent."""
        return self.locate(path) if self.locate else self.place


@dataclass(frozen=True, slots=True)
class UserFile:
    """A user's file in an overlay: its name in the overlay, its source, its bytes, its objects."""

    name: str
    source: str
    data: bytes = field(repr=False)
    objects: tuple[UserObject, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PatchPlan:
    """A user's patch. Without a target, it applies to the object that the patch itself names."""

    file: UserFile
    target: Mapping[str, str]
    place: Place


@dataclass(frozen=True, slots=True)
class ComponentPlan:
    """A user's kustomize component: its folder below overlays/<cluster>/components/, and all files there."""

    folder: str
    source: str
    files: Mapping[str, bytes] = field(repr=False)
    place: Place

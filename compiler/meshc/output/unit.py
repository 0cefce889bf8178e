"""A unit: the part of an overlay that kustomize has to build, as files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from meshc.kube import Identity
from meshc.output.references import are_followed
from meshc.output.split import documents, head_of, identity_in
from meshc.overlays.kustomization import NAME, component, kustomization
from meshc.overlays.layers import NAMESPACE, Layer
from meshc.overlays.layout import COMPONENTS, RESOURCES
from meshc.tree import HEADER

if TYPE_CHECKING:
    from meshc.plan.files import PatchPlan

FOLDER = "unit"
_OBJECTS = "objects.yaml"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*")
"""A part of an object's head that has only one form in YAML."""

Head = tuple[str, str, str, str]
Key = tuple[tuple[str, bytes], ...]


def files_of(texts: Sequence[bytes], layers: Sequence[Layer]) -> dict[str, bytes]:
    """The files of a unit, by path from its folder. The first layer is the overlay's, the others are components."""
    files = {_OBJECTS: HEADER + b"---\n".join(texts)} if texts else {}
    top, *components = layers
    resources = [*files, *top.resource_paths]
    files |= top.user_files()
    for number, layer in enumerate(components):
        inside = dict(layer.user_files())
        inside[NAME] = component(layer.resource_paths, layer.listed_patches, layer.for_all)
        files |= {f"{COMPONENTS}/{number}/{path}": data for path, data in inside.items()}
    folders = (f"{COMPONENTS}/{number}" for number, _ in enumerate(components))
    return files | {NAME: kustomization(resources, top.listed_patches, folders)}


@dataclass(frozen=True)
class Unit:
    """The part that kustomize builds: objects of meshc (`texts`), and the layers of the user. `files` are by path from
    the parent folder. The output replaces `texts`.

    Equal units of different clusters give equal output.
    """

    files: Mapping[str, bytes]
    texts: tuple[bytes, ...]
    layers: tuple[Layer, ...]
    homes: Mapping[Identity, str]
    heads: frozenset[Head]

    @property
    def patches(self) -> Iterator[PatchPlan]:
        return (patch for layer in self.layers for patch in layer.patches)

    @property
    def is_followed(self) -> bool:
        """True if kustomize follows references to the objects that the layers change."""
        return are_followed(self.patches) or any(NAMESPACE in layer.for_all for layer in self.layers)

    @cached_property
    def key(self) -> Key:
        """Equal for units with equal output."""
        return tuple(self.files.items())

    @property
    def size(self) -> int:
        """The number of bytes in all files."""
        return sum(map(len, self.files.values()))

    def made(self, stream: bytes) -> Mapping[str, tuple[bytes, ...]] | None:
        """The objects that kustomize built from the unit, by their file in output/; None if an object is new or
        renamed."""
        found: dict[str, list[bytes]] = {}
        for text in documents(stream.decode()):
            head = head_of(text)
            named = all(_PLAIN.fullmatch(part) for part in (head[0], head[1], head[3], head[2] or "x"))
            if not named or head not in self.heads:
                return None
            home = self.homes.get(identity_in(text), RESOURCES)
            found.setdefault(home, []).append(text.encode())
        return {file: tuple(texts) for file, texts in found.items()}

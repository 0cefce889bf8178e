"""Renders an overlay that has only meshc's own objects into output/, without starting kustomize.

Such an overlay needs no transformation: its objects already have kustomize's style, so they only have to be sorted.
Real kustomize stays the reference: `meshc verify` compares the two, and kustomize renders every overlay with a user's
patch, resource or component.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from meshc.output.order import Place, place_of
from meshc.output.split import documents, head_of
from meshc.overlays.kustomization import NAME, kustomization
from meshc.overlays.layout import BASES
from meshc.supported import KUSTOMIZE
from meshc.tree import HEADER, FileTree

if TYPE_CHECKING:
    from meshc.kube import Version
    from meshc.plan.ir import ClusterPlan

_SERVICES = "services.yaml"
_ODD = re.compile("[\u0085\ufeff]|[\u2028\u2029](?:\n|'|\")".encode())
"""Characters that kustomize and meshc write differently."""


def is_tested(version: Version) -> bool:
    """True if this version of kustomize is known to produce the same bytes."""
    return KUSTOMIZE[0] <= version < KUSTOMIZE[1]


class Linker:
    """Renders the overlays of one run. Files that several clusters share, such as copies of Services, are sorted only
    once.

    `folders` are the files of each overlay and each base, by path within it.
    """

    def __init__(self, version: Version, folders: Mapping[str, Mapping[str, bytes]]) -> None:
        self.tested = is_tested(version)
        self._folders = folders
        self._shared: dict[tuple[str, ...], tuple[bytes, ...]] = {}
        self._files: dict[tuple[tuple[bytes, ...], frozenset[bytes], tuple[bytes, ...]], bytes] = {}
        self._texts_of: dict[bytes, frozenset[bytes]] = {}
        self._heads: dict[bytes, list[tuple[Place, bytes]]] = {}
        self._plain: dict[bytes, bool] = {}
        self._kustomizations: dict[tuple[str, ...], bytes] = {}

    def links(self, cluster: ClusterPlan) -> bool:
        """True if an overlay can be rendered here: it has no patches or manifests of users, and nothing in another
        style."""
        theirs = cluster.patches or cluster.resources or cluster.components
        return not theirs and self.passes(cluster)

    def passes(self, cluster: ClusterPlan) -> bool:
        """True if kustomize doesn't change meshc's own objects in an overlay."""
        own = (data for path, data in self._folders[cluster.name].items() if "/" not in path)
        return self.tested and self._are_plain(own) and self._are_plain(self._copies(cluster))

    def link(
        self,
        cluster: ClusterPlan,
        names: Sequence[str],
        reached: frozenset[bytes] = frozenset(),
        made: Mapping[str, tuple[bytes, ...]] = MappingProxyType({}),
    ) -> FileTree:
        """The rendered files, with the same bytes as a build with kustomize. `names` are the files, in their order.

        `made` are objects that kustomize built, by file. They replace the objects in `reached`.
        """
        own = self._folders[cluster.name]
        found: dict[str, bytes] = {}
        for name in dict.fromkeys((*names, *made)):
            parts = (own.get(name, b""), *(self._copies(cluster) if name == _SERVICES else ()))
            if data := self._joined(parts, reached, made.get(name, ())):
                found[name] = data
        return FileTree({**found, NAME: self._kustomization(tuple(found))})

    def _copies(self, cluster: ClusterPlan) -> tuple[bytes, ...]:
        """The files of the bases that a cluster uses."""
        bases = cluster.bases
        if bases not in self._shared:
            self._shared[bases] = tuple(self._folders[f"{BASES}/{base}"][_SERVICES] for base in bases)
        return self._shared[bases]

    def _joined(self, parts: tuple[bytes, ...], reached: frozenset[bytes], made: tuple[bytes, ...]) -> bytes:
        """The objects of a file's parts in order, with the `made` objects instead of the `reached` ones."""
        gone = frozenset(text for text in reached if any(text in self._texts(part) for part in parts))
        key = (parts, gone, made)
        if key not in self._files:
            documents = [one for part in parts for one in self.placed(part) if one[1] not in gone]
            documents += [(place_of(*head_of(text.decode())), text) for text in made]
            joined = b"---\n".join(text for _, text in sorted(documents))
            self._files[key] = HEADER + joined if documents else b""
        return self._files[key]

    def _texts(self, part: bytes) -> frozenset[bytes]:
        if part not in self._texts_of:
            self._texts_of[part] = frozenset(text for _, text in self.placed(part))
        return self._texts_of[part]

    def placed(self, part: bytes) -> list[tuple[Place, bytes]]:
        """The objects of a file, each with its sort key."""
        if part not in self._heads:
            texts = documents(part.removeprefix(HEADER).decode())
            self._heads[part] = [(place_of(*head_of(text)), text.encode()) for text in texts]
        return self._heads[part]

    def _kustomization(self, names: tuple[str, ...]) -> bytes:
        if names not in self._kustomizations:
            self._kustomizations[names] = kustomization(names)
        return self._kustomizations[names]

    def _are_plain(self, files: Iterable[bytes]) -> bool:
        for data in files:
            if data not in self._plain:
                self._plain[data] = not _ODD.search(data)
            if not self._plain[data]:
                return False
        return True

"""native turns an overlay of meshc's own objects alone into its files under output/, without starting kustomize.

Such an overlay needs no transformation: its objects stand in kustomize's style already, and what is left of a build is
to put them in order. Real kustomize stays the reference: `meshc verify` compares, and it links whatever a person's
patch, resource or kustomization is in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from meshc.kube import Version
from meshc.output.order import Place, place_of
from meshc.output.split import head_of
from meshc.overlays.kustomization import NAME, kustomization
from meshc.overlays.layout import BASES
from meshc.tree import HEADER, FileTree

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan

TESTED = (Version(5, 5), Version(5, 9))
"""The kustomize whose style and order this is: from the first, up to but without the second."""
_SERVICES = "services.yaml"
_ODD = re.compile("[\u0085\ufeff]|[\u2028\u2029](?:\n|'|\")".encode())
"""Characters that kustomize writes in another way than meshc."""


def is_tested(version: Version) -> bool:
    """Whether a kustomize is one whose bytes these are known to be."""
    return TESTED[0] <= version < TESTED[1]


class Linker:
    """Lives for one run. What several clusters share, as they do the copies of services, is put in order once.

    `folders` are the files of each overlay and each base, by path within it.
    """

    def __init__(self, version: Version, folders: Mapping[str, Mapping[str, bytes]]) -> None:
        self._tested = is_tested(version)
        self._folders = folders
        self._shared: dict[tuple[str, ...], tuple[bytes, ...]] = {}
        self._files: dict[tuple[bytes, tuple[str, ...]], bytes] = {}
        self._heads: dict[bytes, list[tuple[Place, bytes]]] = {}
        self._plain: dict[bytes, bool] = {}
        self._kustomizations: dict[tuple[str, ...], bytes] = {}

    def links(self, cluster: ClusterPlan) -> bool:
        """Whether an overlay can be linked here: nobody's patches or manifests, nothing that is written otherwise."""
        ours = self._tested and not cluster.patches and not cluster.resources
        return ours and self._are_plain(self._folders[cluster.name].values()) and self._are_plain(self._copies(cluster))

    def link(self, cluster: ClusterPlan, names: Sequence[str]) -> FileTree:
        """The same bytes that a build split into files would be. `names` are those files, in their order."""
        own = self._folders[cluster.name]
        found: dict[str, bytes] = {}
        for name in names:
            if name == _SERVICES:
                found[name] = self._joined(own.get(name, b""), cluster)
            elif name in own:
                found[name] = self._joined(own[name])
        return FileTree({**found, NAME: self._kustomization(tuple(found))})

    def _copies(self, cluster: ClusterPlan) -> tuple[bytes, ...]:
        """The files of the bases that a cluster names."""
        bases = cluster.bases
        if bases not in self._shared:
            self._shared[bases] = tuple(self._folders[f"{BASES}/{base}"][_SERVICES] for base in bases)
        return self._shared[bases]

    def _joined(self, own: bytes, cluster: ClusterPlan | None = None) -> bytes:
        """The objects of an own file, and of a cluster's bases, in order."""
        key = (own, cluster.bases if cluster else ())
        if key not in self._files:
            parts = (own, *(self._copies(cluster) if cluster else ()))
            documents = sorted(one for part in parts for one in self._placed(part))
            self._files[key] = HEADER + b"---\n".join(text for _, text in documents)
        return self._files[key]

    def _placed(self, part: bytes) -> list[tuple[Place, bytes]]:
        """The objects of a file, each with its place among others."""
        if part not in self._heads:
            texts = part.removeprefix(HEADER).split(b"\n---\n")
            whole = [text if text.endswith(b"\n") else text + b"\n" for text in texts if text.strip()]
            self._heads[part] = [(place_of(*head_of(text.decode())), text) for text in whole]
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

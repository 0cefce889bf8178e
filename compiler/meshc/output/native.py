"""native turns an overlay of meshc's own objects alone into its files under output/, without starting kustomize.

Such an overlay needs no transformation: its objects stand in kustomize's style already, and what is left of a build is
to put them in order. Real kustomize stays the reference: `meshc verify` compares, and it links whatever a person's
patch, resource or kustomization is in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
    """Lives for one run. What several clusters share, as they do the copies of services, is put in order once."""

    def __init__(self, version: Version) -> None:
        self._tested = is_tested(version)
        self._files: dict[tuple[bytes, ...], bytes] = {}
        self._heads: dict[bytes, list[tuple[Place, bytes]]] = {}
        self._plain: dict[bytes, bool] = {}

    def links(self, cluster: ClusterPlan, files: Mapping[str, bytes]) -> bool:
        """Whether an overlay can be linked here: nobody's patches or manifests, nothing that is written otherwise."""
        ours = self._tested and not cluster.patches and not cluster.resources
        return ours and all(self._is_plain(data) for data in files.values())

    def link(self, cluster: ClusterPlan, files: Mapping[str, bytes], names: Sequence[str]) -> FileTree:
        """The same bytes that a build split into files would be. `names` are those files, in their order.

        `files` are those of the overlay and of the bases it names, by path from the top of overlays/.
        """
        found: dict[str, bytes] = {}
        for name in names:
            parts = [files[path] for path in (f"{cluster.name}/{name}",) if path in files]
            if name == _SERVICES:
                parts += [files[f"{BASES}/{base}/{_SERVICES}"] for base in cluster.bases]
            if parts:
                found[name] = self._joined(tuple(parts))
        return FileTree({**found, NAME: kustomization(found)})

    def _joined(self, parts: tuple[bytes, ...]) -> bytes:
        if parts not in self._files:
            documents = sorted(one for part in parts for one in self._placed(part))
            self._files[parts] = HEADER + b"---\n".join(text for _, text in documents)
        return self._files[parts]

    def _placed(self, part: bytes) -> list[tuple[Place, bytes]]:
        """The objects of a file, each with its place among others."""
        if part not in self._heads:
            texts = part.removeprefix(HEADER).split(b"\n---\n")
            whole = [text if text.endswith(b"\n") else text + b"\n" for text in texts if text.strip()]
            self._heads[part] = [(place_of(*head_of(text.decode())), text) for text in whole]
        return self._heads[part]

    def _is_plain(self, data: bytes) -> bool:
        if data not in self._plain:
            self._plain[data] = not _ODD.search(data)
        return self._plain[data]

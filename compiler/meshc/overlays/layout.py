"""Writes the objects of every cluster into files: one for each component and sealed Secret, and bases for copies."""

from __future__ import annotations

import json
import marshal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.overlays.kustomization import NAME, kustomization
from meshc.tree import HEADER, FileTree
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.kube import Body, Identity, KubeObject
    from meshc.plan.files import PatchPlan
    from meshc.plan.ir import ClusterPlan, Plan

BASES = "_services"
"""The folder of shared bases. Names of clusters can't begin with _, so they never collide with it."""

COMPONENTS = "components"
"""The folder for the user's components in an overlay."""

_BOM = b"\xef\xbb\xbf"

RESOURCES = "resources.yaml"
"""The file in output/ for objects that come from no component."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The tree of overlays/ (paths below it), and the objects of each cluster and each base with their files."""

    tree: FileTree
    objects: Mapping[str, Sequence[tuple[str, KubeObject]]]
    bases: Mapping[str, Sequence[KubeObject]]

    @property
    def clusters(self) -> Iterable[str]:
        return self.objects

    def made(self, cluster: ClusterPlan) -> list[KubeObject]:
        """All objects that meshc and charts make for a cluster, including shared copies."""
        return [
            *(one for _, one in self.objects[cluster.name]),
            *(one for name in cluster.bases for one in self.bases[name]),
        ]

    def names(self, cluster: ClusterPlan) -> list[str]:
        """The files of a cluster's output/ for objects of meshc, in their order."""
        shared = [f"{one.origin}.yaml" for name in cluster.bases for one in self.bases[name][:1]]
        return list(dict.fromkeys([file for file, _ in self.objects[cluster.name]] + shared))

    def homes(self, cluster: ClusterPlan) -> Mapping[Identity, str]:
        """The file of a cluster's output/ that each object belongs to."""
        homes = {one.identity: file for file, one in self.objects[cluster.name]}
        return homes | {one.identity: f"{one.origin}.yaml" for name in cluster.bases for one in self.bases[name]}


class Printer:
    """Writes objects as text. Equal objects of several clusters are formatted only once. Used for one compile."""

    def __init__(self) -> None:
        self._texts: dict[bytes, str] = {}
        self._kustomizations: dict[tuple[str, ...], bytes] = {}

    def kustomization(self, resources: Sequence[str]) -> bytes:
        """A kustomization without patches; cached, as most clusters of a fleet have the same one."""
        key = tuple(resources)
        if key not in self._kustomizations:
            self._kustomizations[key] = kustomization(key)
        return self._kustomizations[key]

    def text(self, bodies: Iterable[Body]) -> bytes:
        """A generated file with these objects."""
        return HEADER + "---\n".join(map(self._text, bodies)).encode()

    def _text(self, body: Body) -> str:
        metadata = body.get("metadata")
        if isinstance(metadata, Mapping) and "annotations" in metadata and not metadata["annotations"]:
            # kustomize removes empty annotations too
            kept = {key: value for key, value in metadata.items() if key != "annotations"}
            body = {**body, "metadata": kept}
        key = _key(body)
        if key not in self._texts:
            self._texts[key] = write(body)
        return self._texts[key]


def _key(body: Any) -> bytes:
    """A cache key. Equal keys mean equal text, but objects with equal text may have different keys."""
    try:
        return marshal.dumps(body, 2)
    except ValueError:  # marshal only supports plain types
        return json.dumps(body, sort_keys=True, ensure_ascii=False).encode(errors="surrogatepass")


def lay_out(
    plan: Plan, objects: Mapping[str, Sequence[tuple[str, KubeObject]]], bases: Mapping[str, Sequence[KubeObject]]
) -> Layout:
    """The overlays. `objects` has each cluster's objects with their files, `bases` has the shared copies by name."""
    printer = Printer()
    files: dict[str, bytes] = {}
    for name, copies in bases.items():
        files[f"{BASES}/{name}/services.yaml"] = printer.text(copy.body for copy in copies)
        files[f"{BASES}/{name}/{NAME}"] = printer.kustomization(["services.yaml"])
    for cluster in plan.clusters:
        grouped: dict[str, list[Body]] = {}
        for file, one in objects[cluster.name]:
            grouped.setdefault(file, []).append(one.body)
        for file, bodies in grouped.items():
            files[f"{cluster.name}/{file}"] = printer.text(bodies)
        files |= {f"{cluster.name}/{path}": data for path, data in _users(cluster)}
        resources = _resources(cluster, grouped)
        files[f"{cluster.name}/{NAME}"] = (
            _patched(cluster, resources, cluster.patches)
            if cluster.patches or cluster.components
            else printer.kustomization(resources)
        )
    return Layout(FileTree(files), objects, bases)


def _resources(cluster: ClusterPlan, files: Iterable[str]) -> list[str]:
    return [
        *files,
        *(f"../{BASES}/{name}" for name in cluster.bases),
        *(f"resources/{file.name}" for file in cluster.resources),
    ]


def _patched(cluster: ClusterPlan, resources: Sequence[str], patches: Iterable[PatchPlan]) -> bytes:
    listed = [(f"patches/{patch.file.name}", patch.target) for patch in patches]
    return kustomization(resources, listed, (f"{COMPONENTS}/{one.folder}" for one in cluster.components))


def kustomization_of(cluster: ClusterPlan, laid_out: Iterable[str], patches: Iterable[PatchPlan]) -> bytes:
    """The cluster's kustomization.yaml with only some of its patches, to find the patch that kustomize can't apply."""
    start = f"{cluster.name}/"
    own = [path.removeprefix(start) for path in laid_out if path.startswith(start)]
    files = [path for path in own if "/" not in path and path != NAME]
    return _patched(cluster, _resources(cluster, files), patches)


def _users(cluster: ClusterPlan) -> Iterable[tuple[str, bytes]]:
    """Copies of the user's files, each once: a patch may be named several times with different targets."""
    found = {f"patches/{patch.file.name}": copy_of(patch.file.data) for patch in cluster.patches}
    found |= {f"resources/{file.name}": copy_of(file.data) for file in cluster.resources}
    for one in cluster.components:
        found |= {f"{COMPONENTS}/{path}": copy_of(data) for path, data in one.files.items()}
    return found.items()


def copy_of(data: bytes) -> bytes:
    """The user's bytes after meshc's header, which distinguishes the copy from a file that a person added there."""
    return HEADER + data.removeprefix(_BOM)

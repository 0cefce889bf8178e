"""Finds the source of an object of a cluster: a line of mesh.yaml, a file of the repository, or a chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from meshc.lowering import needs_of
from meshc.review.lines import TAGS, blocks_of, tags_of
from meshc.review.origins import entry_of

if TYPE_CHECKING:
    from meshc.kube import KubeObject
    from meshc.mesh.source import Source
    from meshc.pipeline import Compiled
    from meshc.plan.ir import ClusterPlan
    from meshc.plan.needs import SecretNeed

_SETTINGS = {"mutual-tls": ("spec", "security", "mutualTLS")}
"""Components that come from one setting of the whole mesh, with its path."""


@dataclass(frozen=True, slots=True)
class From:
    """Where an object comes from. `where` is a place, a path, or a chart with its version and its path."""

    what: Literal["mesh.yaml", "file", "chart"]
    where: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The sources of the objects of one cluster."""

    source: Source
    cluster: ClusterPlan
    sealed: Mapping[str, SecretNeed]
    """The need for each sealed file, by the file of the overlay."""
    folder: str
    services: Mapping[tuple[str, str], str]
    entries: Mapping[tuple[str, str], str]
    """The lines of mesh.yaml for each namespace and each revision tag."""
    charts: Mapping[str, str]
    clusters: Mapping[str, str]

    def of(self, file: str, one: KubeObject) -> tuple[str, tuple[From, ...]]:
        """The component of an object in a file of the overlay, and where the object comes from."""
        if need := self.sealed.get(file):
            return need.kind, tuple(self._of_sealed(need))
        if chart := self.charts.get(one.origin):
            return one.origin, (From("chart", chart), From("mesh.yaml", str(self.cluster.place)))
        if one.origin == "services":
            return one.origin, (self._of_service(one),)
        if one.origin in _SETTINGS:
            return one.origin, (From("mesh.yaml", str(self.source.document.place(_SETTINGS[one.origin]))),)
        entry = entry_of(one.identity)
        line = self.entries.get(entry, "") if entry else ""
        return one.origin, (From("mesh.yaml", line or str(self.cluster.place)),)

    def _of_sealed(self, need: SecretNeed) -> Iterator[From]:
        yield From("file", self.source.shown(f"{self.folder}/{need.file}"))
        for name in need.of or (self.cluster.name,):
            yield From("mesh.yaml", self.clusters.get(name, str(self.cluster.place)))

    def _of_service(self, one: KubeObject) -> From:
        place = self.services.get((one.identity.namespace, one.identity.name), str(self.cluster.place))
        return From("mesh.yaml" if place.partition(":")[0] in self._mesh else "file", place)

    @property
    def _mesh(self) -> set[str]:
        return {self.source.shown(path) for path in self.source.files}


def origin_in(compiled: Compiled, source: Source, cluster: ClusterPlan) -> Origin:
    """The sources for one cluster of a compiled mesh."""
    plan = compiled.plan
    sealed = {one.file.rsplit("/", 1)[-1]: one for one in needs_of(plan) if one.cluster == cluster.name}
    blocks = [("namespaces", blocks_of(source, "namespaces")), (TAGS, tags_of(source))]
    entries = {
        (key, name): f"{one.file}:{one.start}:{one.column}" for key, found in blocks for name, one in found.items()
    }
    paths = {chart.digest: source.shown(chart.path) for chart in compiled.inputs.charts.values()}
    charts = {f"chart {one.chart}": f"{one.chart} {one.version}, {paths[one.digest]}" for one in cluster.charts}
    services = {export.key: str(export.place) for export in compiled.exports}
    clusters = {one.name: str(one.place) for one in plan.clusters}
    return Origin(source, cluster, sealed, plan.sealed, services, entries, charts, clusters)

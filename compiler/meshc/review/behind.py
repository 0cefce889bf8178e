"""Finds the user's files that may cause a file in overlays/ or output/."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.output.trees import OUTPUT
from meshc.overlays.layout import BASES, COMPONENTS, RESOURCES

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan

_SERVICES = "services.yaml"


@dataclass(frozen=True, slots=True)
class Behind:
    """The user's files, with paths relative to mesh.yaml: the manifests of each services entry by its name, and the
    path of each chart."""

    plan: Plan
    manifests: Mapping[str, str]
    charts: Mapping[str, str]

    def of(self, path: str, changed: Iterable[str]) -> list[str]:
        """The changed files that are part of a file in overlays/ or output/."""
        tree, folder, *rest = path.split("/")
        if not rest:
            return []
        cluster = next((one for one in self.plan.clusters if one.name == folder), None)
        if folder == BASES:
            wanted = [self.manifests.get(rest[0], "")]
        elif cluster is None:
            return []
        else:
            wanted = list(self._of_cluster(tree, cluster, rest))
        return [one for one in changed if any(_is_in(one, source) for source in wanted if source)]

    def _of_cluster(self, tree: str, cluster: ClusterPlan, rest: list[str]) -> Iterator[str]:
        name = rest[0]
        if name in ("patches", "resources") and len(rest) > 1:
            files = [patch.file for patch in cluster.patches] if name == "patches" else list(cluster.resources)
            yield from (file.source for file in files if file.name == rest[1])
            return
        if name in (COMPONENTS, RESOURCES):
            yield from (one.source for one in cluster.components)
        if name == RESOURCES:
            yield from (file.source for file in cluster.resources)
        if name == _SERVICES:
            yield from self.manifests.values()
        yield from (folder for chart, folder in self.charts.items() if name.removesuffix(".yaml").endswith(chart))
        yield from (f"{folder}/{cluster.name}" for folder in (self.plan.sealed, self.plan.certificates))
        if tree == OUTPUT:
            yield from (patch.file.source for patch in cluster.patches)
            yield from (one.source for one in cluster.components)


def _is_in(path: str, source: str) -> bool:
    """True if a path is one of the named files, or inside a named folder."""
    source = source.rstrip("/")
    return path == source or path.startswith(f"{source}/")

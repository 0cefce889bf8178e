"""Merges the overrides of a `Mesh` into its clusters. Each resulting member has its settings and their origins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshc.mesh.fleet import Fleet, Member
from meshc.mesh.model import Cluster
from meshc.mesh.selecting import selects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshc.errors import Path
    from meshc.mesh.model import Mesh
    from meshc.yamltext.document import Document


def make_fleet(mesh: Mesh, document: Document) -> Fleet:
    """Merges the overrides into the clusters. `document` is what `mesh` was parsed from."""
    spec = document.data["spec"]
    reach = dict(_reach(mesh, document))
    members = []
    for index, cluster in enumerate(mesh.spec.clusters):
        layers: list[tuple[Path, Any]] = [
            (("spec", "overrides", number, "set"), spec["overrides"][number]["set"])
            for number, override in enumerate(mesh.spec.overrides)
            if selects(override.clusters, cluster)
            and cluster.name in reach.get(("spec", "overrides", number), (cluster.name,))
        ]
        origins: dict[Path, Path] = {}
        merged: dict[str, Any] = {}
        for path, layer in [*layers, (("spec", "clusters", index), spec["clusters"][index])]:
            merge(merged, layer, path, (), origins)
        members.append(Member(index, Cluster.model_validate(merged) if layers else cluster, origins))
    return Fleet(mesh, tuple(members), reach)


def _reach(mesh: Mesh, document: Document) -> Iterator[tuple[Path, frozenset[str]]]:
    """The clusters for each override and acknowledgement in a part: the clusters of that part."""
    whole = document.at(())[0]
    by_file: dict[str, set[str]] = {}
    for number, cluster in enumerate(mesh.spec.clusters):
        by_file.setdefault(document.at(("spec", "clusters", number))[0].file, set()).add(cluster.name)
    for key, entries in (("overrides", mesh.spec.overrides), ("acknowledge", mesh.spec.acknowledge)):
        for number in range(len(entries)):
            path: Path = ("spec", key, number)
            file = document.at(path)[0].file
            if file != whole.file:
                yield path, frozenset(by_file.get(file, ()))


def merge(into: dict[str, Any], layer: Mapping[str, Any], at: Path, below: Path, origins: dict[Path, Path]) -> None:
    for key, value in layer.items():
        here = (*below, key)
        if isinstance(value, dict):
            kept = into.get(key)
            into[key] = dict(kept) if isinstance(kept, dict) else {}
            merge(into[key], value, (*at, key), here, origins)
        else:
            into[key] = value
        origins[here] = (*at, key)

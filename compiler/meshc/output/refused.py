"""What kustomize refuses: one problem for a faulty file, even if hundreds of clusters have this file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc import codes
from meshc.plan.files import ComponentPlan, PatchPlan, UserFile
from meshc.plan.unknown import some

if TYPE_CHECKING:
    from meshc.errors import Place, Problem
    from meshc.plan.ir import ClusterPlan

Part = UserFile | PatchPlan | ComponentPlan


@dataclass(frozen=True)
class Fault:
    """A part of an overlay that kustomize refuses; `part` is None if only the whole overlay is known to be faulty.

    `what` is the message without the names of the clusters.
    """

    part: Part | None
    place: Place
    what: str
    hint: str
    also: tuple[Place, ...] = ()

    def is_of(self, part: Part) -> bool:
        """True if this part is the faulty one, or equal to it in another cluster."""
        return self.part is not None and key_of(self.part) == key_of(part)

    def is_in(self, cluster: ClusterPlan) -> bool:
        """True if a cluster has the faulty part, too."""
        return any(map(self.is_of, parts_of(cluster)))


def parts_of(cluster: ClusterPlan) -> tuple[Part, ...]:
    """The user's parts of an overlay."""
    return (*cluster.resources, *cluster.patches, *cluster.components)


def key_of(part: Part) -> object:
    """Equal for equal parts of two clusters, whatever line of mesh.yaml names them."""
    match part:
        case UserFile():
            return part.source, part.data
        case PatchPlan():
            return key_of(part.file), dict(part.target)
        case ComponentPlan():
            return part.source, dict(part.files)


@dataclass(frozen=True)
class Refusal:
    """A cluster, and the message with which kustomize refused its overlay or a part of it."""

    cluster: ClusterPlan
    said: str

    @property
    def likeness(self) -> str:
        """Equal for clusters that kustomize refused for the same reason."""
        return self.said.replace(self.cluster.name, "{cluster}")


def first_of_each(refusals: Iterable[Refusal]) -> list[Refusal]:
    """One refusal for each reason."""
    return list({one.likeness: one for one in reversed(list(refusals))}.values())


def problems_of(found: Mapping[str, Sequence[Fault]]) -> Iterator[Problem]:
    """One problem for equal faults of all clusters. `found` has the faults of each cluster, by its name."""
    clusters: dict[tuple[Place, str], tuple[Fault, list[str]]] = {}
    for name, faults in found.items():
        for fault in faults:
            clusters.setdefault((fault.place, fault.what), (fault, []))[1].append(name)
    for fault, names in clusters.values():
        what = f"{some(names)}: {fault.what}"
        yield codes.KUSTOMIZE_FAILED.at(fault.place, what, fault.hint, also=fault.also, clusters=tuple(names))

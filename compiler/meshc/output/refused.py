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

Addition = UserFile | PatchPlan | ComponentPlan
"""A resource, a patch or a component that a user adds to an overlay."""


@dataclass(frozen=True)
class Fault:
    """An addition that kustomize refuses; `addition` is None if only the whole overlay is known to be faulty.

    `what` is the message without the names of the clusters.
    """

    addition: Addition | None
    place: Place
    what: str
    hint: str
    also: tuple[Place, ...] = ()

    def is_of(self, addition: Addition) -> bool:
        """True if this addition is the faulty one, or equal to it in another cluster."""
        return self.addition is not None and key_of(self.addition) == key_of(addition)

    def is_in(self, cluster: ClusterPlan) -> bool:
        """True if a cluster has the faulty addition, too."""
        return any(map(self.is_of, additions_of(cluster)))


def additions_of(cluster: ClusterPlan) -> tuple[Addition, ...]:
    """Everything that the user adds to an overlay."""
    return (*cluster.resources, *cluster.patches, *cluster.components)


def key_of(addition: Addition) -> object:
    """Equal for equal additions of two clusters, whatever line of mesh.yaml names them."""
    match addition:
        case UserFile():
            return addition.source, addition.data
        case PatchPlan():
            return key_of(addition.file), dict(addition.target)
        case ComponentPlan():
            return addition.source, dict(addition.files)


@dataclass(frozen=True)
class Refusal:
    """A cluster, and the message with which kustomize refused its overlay or a part of it."""

    cluster: ClusterPlan
    said: str

    @property
    def reason(self) -> str:
        """Equal for clusters that kustomize refused for the same reason."""
        return self.said.replace(self.cluster.name, "{cluster}")


def first_of_each(refusals: Iterable[Refusal]) -> list[Refusal]:
    """One refusal for each reason."""
    return list({one.reason: one for one in reversed(list(refusals))}.values())


def problems_of(found: Mapping[str, Sequence[Fault]]) -> Iterator[Problem]:
    """One problem for equal faults of all clusters. `found` has the faults of each cluster, by its name."""
    clusters: dict[tuple[Place, str], tuple[Fault, list[str]]] = {}
    for name, faults in found.items():
        for fault in faults:
            clusters.setdefault((fault.place, fault.what), (fault, []))[1].append(name)
    for fault, names in clusters.values():
        what = f"{some(names)}: {fault.what}"
        yield codes.KUSTOMIZE_FAILED.at(fault.place, what, fault.hint, also=fault.also, clusters=tuple(names))

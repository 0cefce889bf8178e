"""Reports objects that a chart and meshc both make, or that two charts make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshc.errors import Place, Problem
    from meshc.kube import Identity, KubeObject
    from meshc.plan.ir import ClusterPlan


def clashes(cluster: ClusterPlan, objects: Iterable[KubeObject], place: Place) -> Iterator[Problem]:
    """Objects that are in a cluster twice, and that don't come from a user's file."""
    made: dict[Identity, KubeObject] = {}
    for one in objects:
        first = made.setdefault(one.identity, one)
        if first is not one:
            what = f"{cluster.name}: both {first.origin} and {one.origin} make {one.identity}"
            hint = "change the Helm values so that only one of the two makes this object"
            yield codes.CHART_CLASH.at(place, what, hint, clusters=(cluster.name,))

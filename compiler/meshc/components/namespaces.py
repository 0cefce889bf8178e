"""The Namespace objects of a cluster, each protected from pruning."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc.components.contract import PRUNE_PROTECTION, thing

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """A Namespace object for each namespace in the plan."""
    del plan
    for namespace in cluster.namespaces:
        annotations = {**namespace.annotations, **PRUNE_PROTECTION}
        yield thing("v1", "Namespace", namespace.name, labels=namespace.labels, annotations=annotations)

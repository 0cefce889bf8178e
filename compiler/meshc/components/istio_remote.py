"""What attaches a remote to its primary, by the mesh's Istio generation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc.components import classic, istiod

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """The remote component; nothing in a primary."""
    if cluster.attachment is None:
        return ()
    if plan.generation == "classic":
        return classic.lower(plan, cluster, cluster.attachment)
    return istiod.lower(plan, cluster, cluster.attachment)

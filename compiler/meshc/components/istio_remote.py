"""What attaches a remote to its primary, by the mesh's Istio generation, as far as no chart of the user's does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc.components import classic, istiod
from meshc.components.control_plane import renders

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """The remote component; nothing in a primary. Beside a chart, only what no chart makes: istiod's reader's token."""
    if cluster.attachment is None or renders(cluster, "istio-remote"):
        return ()
    if renders(cluster, "istiod"):
        return istiod.reader_token(plan, cluster)
    if plan.generation == "classic":
        return classic.lower(plan, cluster, cluster.attachment)
    return istiod.lower(plan, cluster, cluster.attachment)

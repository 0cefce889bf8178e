"""Attaches a remote to its primary, for each Istio generation, except for what the user's charts do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc.components import classic, config_cluster, istiod
from meshc.components.control_plane import renders
from meshc.generation import Generation

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.ways import Attachment


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """The remote component; nothing in a primary. If meshc renders the chart, only the token, which no chart makes."""
    if cluster.attachment is None or renders(cluster, "istio-remote"):
        return ()
    if renders(cluster, "istiod"):
        return (config_cluster.token if cluster.holds_config else istiod.reader_token)(plan, cluster)
    return _LOWER[plan.generation](plan, cluster, cluster.attachment)


def _of_istiod(plan: Plan, cluster: ClusterPlan, attachment: Attachment) -> Iterable[Body]:
    yield from istiod.lower(plan, cluster, attachment)
    for plane in cluster.planes[1:]:
        if plane.attachment:
            yield from istiod.of_further(plan, plane, plane.attachment)
    if cluster.holds_config:
        yield from config_cluster.lower(plan, cluster, attachment)


_LOWER = {Generation.CLASSIC: classic.lower, Generation.ISTIOD: _of_istiod}

"""The token by which other primaries read a primary. Its account comes with Istio's chart base."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc.components import istiod

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """The Secret that Kubernetes fills in; nothing where no other primary is, or in a remote, which has its own."""
    if cluster.role == "primary" and sum(one.role == "primary" for one in plan.clusters) > 1:
        yield from istiod.reader_token(plan, cluster)

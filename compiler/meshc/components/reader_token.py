"""The token with which other primaries read a primary. Istio's chart base has its account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc.components import istiod

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """The token Secret; nothing if there is only one primary, or in a remote, whose own component has the token."""
    if cluster.role == "primary" and sum(one.role == "primary" for one in plan.clusters) > 1:
        yield from istiod.reader_token(plan, cluster)

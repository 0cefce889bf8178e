"""clusters turns the names that a person gives into clusters of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from meshc.errors import UsageError
from meshc.plain import plain

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan


def chosen(plan: Plan, names: Sequence[str]) -> list[str]:
    """The clusters by name, in the order of mesh.yaml; all of them where none is named. Raises UsageError."""
    known = [cluster.name for cluster in plan.clusters]
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f'there is no cluster "{plain(unknown[0])}"', f"clusters: {', '.join(known)}")
    return [name for name in known if name in names] or known


def named(plan: Plan, name: str) -> ClusterPlan:
    """The cluster of that name. Raises UsageError where there is none."""
    return plan.cluster(*chosen(plan, [name]))

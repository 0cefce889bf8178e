"""Finds the cluster whose CA signs the certificates of a cluster's workloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan


def signer_of(plan: Plan, cluster: ClusterPlan) -> str:
    """The cluster whose CA signs for a cluster: its primary, if a remote uses istiod; otherwise the cluster itself."""
    return cluster.attachment.primary if cluster.attachment and not plan.generation.signs_in_remotes else cluster.name


def signed_by(plan: Plan, signer: str) -> tuple[str, ...]:
    """The clusters whose workloads get their certificates from the CA of this cluster."""
    return tuple(one.name for one in plan.clusters if not one.is_external and signer_of(plan, one) == signer)

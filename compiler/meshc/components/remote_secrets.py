"""The need of a remote secret in a primary for each other cluster: the credentials with which it reads it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc.plan.needs import SecretNeed

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan

LABEL = {"istio/multiCluster": "true"}


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[SecretNeed]:
    """One need a cluster that it watches; the data key is the cluster's ID in both generations, the name differs."""
    servers = {one.name: one.api_server for one in plan.clusters} if cluster.watched else {}
    for remote in cluster.watched:
        classic = plan.generation == "classic"
        yield SecretNeed(
            cluster=cluster.name,
            kind="remote secret",
            file=f"{cluster.name}/remote-secret-{remote}.yaml",
            namespace=plan.istio_namespace,
            name=remote if classic else f"istio-remote-secret-{remote}",
            keys=(remote,),
            labels=LABEL,
            annotations={} if classic else {"networking.istio.io/cluster": remote},
            pending=f"{remote}: waiting for credentials in {cluster.name}",
            recipients=cluster.sealing.recipients,
            server=servers[remote],
        )

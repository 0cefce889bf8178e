"""The remote secrets that a primary needs: one for each other cluster, with the credentials to read it.

An external control plane reaches its config cluster as if it ran there, by a kubeconfig of another name and key.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc.plan.needs import SecretNeed, waiting_for
from meshc.plan.values import KUBECONFIG

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan

LABEL = {"istio/multiCluster": "true"}
_CLUSTER = "networking.istio.io/cluster"


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[SecretNeed]:
    """One need a cluster that it watches; the data key is the cluster's ID in both generations, the name differs."""
    known = {one.name: one for one in plan.clusters} if cluster.watched else {}
    for name in cluster.watched:
        remote = known[name]
        if name == cluster.config_cluster:
            yield _config_cluster(plan, cluster, remote)
            continue
        classic = plan.generation == "classic"
        yield SecretNeed(
            cluster=cluster.name,
            kind="remote secret",
            file=f"{cluster.name}/remote-secret-{name}.yaml",
            namespace=plan.istio_namespace,
            name=name if classic else f"istio-remote-secret-{name}",
            keys=(remote.id,),
            labels=LABEL,
            annotations={} if classic else {_CLUSTER: remote.id},
            pending=waiting_for(name, cluster.name),
            recipients=cluster.sealing.recipients,
            server=remote.api_server,
            of=name,
        )


def _config_cluster(plan: Plan, cluster: ClusterPlan, remote: ClusterPlan) -> SecretNeed:
    """Without the label by which istiod finds remote secrets: under it, `config` would be one cluster more to it."""
    return SecretNeed(
        cluster=cluster.name,
        kind="kubeconfig of the config cluster",
        file=f"{cluster.name}/{KUBECONFIG}.yaml",
        namespace=plan.istio_namespace,
        name=KUBECONFIG,
        keys=("config",),
        annotations={_CLUSTER: remote.id},
        pending=waiting_for(remote.name, cluster.name),
        recipients=cluster.sealing.recipients,
        server=remote.api_server,
        of=remote.name,
        not_labelled=next(iter(LABEL)),
    )

"""The remote secrets of a primary, with the credentials for other clusters: one for each cluster, or one for all.

For its config cluster, an external control plane needs a kubeconfig with another Secret name and another key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from meshc.plan.istiod_values import KUBECONFIG, MOUNTED
from meshc.plan.needs import SecretNeed

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan

LABEL = {"istio/multiCluster": "true"}
_CLUSTER = "networking.istio.io/cluster"


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[SecretNeed]:
    """A need for each watched cluster, or one need for all of them, or both."""
    known = {one.name: one for one in plan.clusters} if cluster.watched else {}
    remotes = [known[name] for name in cluster.watched if name != cluster.config_cluster]
    if len(remotes) < len(cluster.watched) and cluster.config_cluster:
        yield _config_cluster(plan, cluster, known[cluster.config_cluster])
    if cluster.remote_secrets != "mounted":
        for remote in remotes:
            yield _separate(plan, cluster, remote)
    if cluster.remote_secrets != "separate" and remotes:
        yield _mounted(plan, cluster, remotes)


def _separate(plan: Plan, cluster: ClusterPlan, remote: ClusterPlan) -> SecretNeed:
    """The need for a remote secret. Its key is the cluster's ID in both Istio generations, but its name differs."""
    classic = plan.generation == "classic"
    return SecretNeed(
        cluster=cluster.name,
        kind="remote secret",
        file=f"{cluster.name}/remote-secret-{remote.name}.yaml",
        namespace=plan.istio_namespace,
        name=remote.name if classic else f"istio-remote-secret-{remote.name}",
        keys=(remote.id,),
        labels=LABEL,
        annotations={} if classic else {_CLUSTER: remote.id},
        recipients=cluster.sealing.recipients,
        servers=_servers([remote]),
        of={remote.name: remote.id},
    )


def _mounted(plan: Plan, cluster: ClusterPlan, remotes: Sequence[ClusterPlan]) -> SecretNeed:
    """The need for mounted kubeconfigs. istiod reads files with .yaml, each for the cluster in its current context."""
    of = {remote.name: f"{remote.id}.yaml" for remote in remotes}
    return SecretNeed(
        cluster=cluster.name,
        kind="Secret of mounted kubeconfigs",
        file=f"{cluster.name}/{MOUNTED.removeprefix('istio-')}.yaml",
        namespace=plan.istio_namespace,
        name=MOUNTED,
        keys=tuple(of.values()),
        recipients=cluster.sealing.recipients,
        servers=_servers(remotes),
        of=of,
        grows=True,
        not_labelled=next(iter(LABEL)),
    )


def _servers(remotes: Sequence[ClusterPlan]) -> dict[str, str]:
    return {one.name: one.api_server for one in remotes if one.api_server}


def _config_cluster(plan: Plan, cluster: ClusterPlan, remote: ClusterPlan) -> SecretNeed:
    """The need for the config cluster's kubeconfig. With istiod's label, istiod would add a cluster `config`."""
    return SecretNeed(
        cluster=cluster.name,
        kind="kubeconfig of the config cluster",
        file=f"{cluster.name}/{KUBECONFIG}.yaml",
        namespace=plan.istio_namespace,
        name=KUBECONFIG,
        keys=("config",),
        annotations={_CLUSTER: remote.id},
        recipients=cluster.sealing.recipients,
        servers=_servers([remote]),
        of={remote.name: "config"},
        not_labelled=next(iter(LABEL)),
    )

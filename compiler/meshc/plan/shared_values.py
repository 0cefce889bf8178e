"""The values that several charts have in common: images, the revision, the domain of Services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan


Values = dict[str, Any]
"""The values of a chart."""
CLUSTER_LOCAL = "cluster.local"
"""The domain of Services that the charts have by default."""


def own_domain(plan: Plan) -> str | None:
    """The domain of Services; None if it is the charts' default."""
    return None if plan.cluster_domain == CLUSTER_LOCAL else plan.cluster_domain


def images(cluster: ClusterPlan) -> Values:
    """The values for the source of Istio's images."""
    of = cluster.images
    pulls = pull_secrets(cluster)
    return {"hub": of.hub, "tag": of.tag, "variant": of.variant, "imagePullSecrets": pulls}


def pull_secrets(cluster: ClusterPlan) -> list[str] | None:
    """The names of the image pull Secrets; None if there are none."""
    return list(cluster.images.pull_secrets) or None


def revision_of(cluster: ClusterPlan) -> str | None:
    """The revision of the control plane; None for the default revision, as in the charts."""
    return None if cluster.revision == "default" else cluster.revision

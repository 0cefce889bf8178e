"""Reports objects in the user's files that need a namespace and have none.

`INJECTION` has the two labels for injection. Istio's webhooks for a revision skip a namespace with `istio-injection`.
So with both labels the revision is ignored, and without a default revision nothing injects at all (charts/istiod of
1.24 to 1.30).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes
from meshc.kube import identity_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshc.errors import Problem
    from meshc.kube import Identity
    from meshc.plan.files import UserObject
    from meshc.plan.ir import ClusterPlan

INJECTION = {"istio-injection", "istio.io/rev"}


_NAMESPACED = {
    "": "ConfigMap Endpoints LimitRange PersistentVolumeClaim Pod ResourceQuota Secret Service ServiceAccount",
    "apps": "DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling": "HorizontalPodAutoscaler",
    "batch": "CronJob Job",
    "discovery.k8s.io": "EndpointSlice",
    "networking.k8s.io": "Ingress NetworkPolicy",
    "policy": "PodDisruptionBudget",
    "rbac.authorization.k8s.io": "Role RoleBinding",
}
_OF_ISTIO = ("networking.istio.io", "security.istio.io", "telemetry.istio.io", "extensions.istio.io")
"""Groups in which every kind is namespaced. For other groups of custom resources, meshc doesn't know."""


def lives_in_namespace(identity: Identity) -> bool:
    """True for an object whose kind is known to be namespaced."""
    return identity.kind in _NAMESPACED.get(identity.group, "").split() or identity.group in _OF_ISTIO


def homeless(cluster: ClusterPlan, theirs: Iterable[UserObject]) -> Iterator[Problem]:
    """Objects of namespaced kinds that have no namespace."""
    for one in theirs:
        identity = identity_of(one.body)
        if lives_in_namespace(identity) and not identity.namespace and identity.name:
            what = f"{cluster.name}: {identity} has no namespace"
            hint = "add metadata.namespace: without it, Flux applies nothing to the cluster"
            yield codes.NO_NAMESPACE.at(one.place, what, hint, clusters=(cluster.name,))

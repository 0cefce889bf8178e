"""namespaces turns what a user's file does to a Namespace, or lacks of one, into a problem.

Istio's webhooks for a revision skip a namespace that carries `istio-injection`, so with both labels the revision is
ignored, and where no default revision runs nothing injects at all (charts/istiod of 1.24 to 1.30).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.kube import identity_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from meshc.errors import Problem
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, UserObject

INJECTION = {"istio-injection", "istio.io/rev"}
_LABELS = "/metadata/labels"


def both_labels(cluster: ClusterPlan, one: UserObject, namespace: Body | None = None) -> Iterator[Problem]:
    """The problem of a Namespace in a resource, or of one that `one` patches."""
    before = (namespace.get("metadata") or {}).get("labels") or {} if namespace else {}
    after = {**before, **_written(one.body)}
    if {key for key, value in after.items() if value is not None} >= INJECTION and not before.keys() >= INJECTION:
        name = identity_of(namespace or one.body).name
        what = f"{cluster.name}: namespace {name} gets both istio-injection and istio.io/rev"
        hint = "keep one of them: with both, the revision is ignored"
        yield codes.BOTH_INJECTION_LABELS.at(one.place, what, hint, clusters=(cluster.name,))


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
"""Groups of which every kind lives in a namespace; of other groups of custom resources nobody knows here."""


def homeless(cluster: ClusterPlan, theirs: Iterable[UserObject]) -> Iterator[Problem]:
    """Objects of kinds that live in a namespace, without one."""
    for one in theirs:
        identity = identity_of(one.body)
        lives = identity.kind in _NAMESPACED.get(identity.group, "").split() or identity.group in _OF_ISTIO
        if lives and not identity.namespace and identity.name:
            what = f"{cluster.name}: {identity} names no namespace"
            hint = "add metadata.namespace: Flux stops at a cluster without it"
            yield codes.NO_NAMESPACE.at(one.place, what, hint, clusters=(cluster.name,))


def _written(change: Any) -> Mapping[str, Any]:
    """The labels that an object or patch sets; None for one that it takes away."""
    if isinstance(change, dict):
        labels = (change.get("metadata") or {}).get("labels")
        return labels if isinstance(labels, dict) else {}
    found: dict[str, Any] = {}
    for step in change:
        value = step.get("value") if step["op"] in ("add", "replace") else None
        if step["path"] == _LABELS and isinstance(value, dict):
            found |= value
        elif step["path"].startswith(f"{_LABELS}/"):
            found[step["path"].removeprefix(f"{_LABELS}/").replace("~1", "/").replace("~0", "~")] = value
    return found

"""The interface of component modules, and functions with which they build objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from meshc.mesh.hosts import ip_version

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.needs import ChartNeed, SecretNeed

PRUNE_PROTECTION: Mapping[str, str] = {
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}
"""Annotations with which Argo CD and Flux don't prune an object: pruning a Namespace would delete its workloads."""

OURS: Mapping[str, str] = {"app.kubernetes.io/managed-by": "meshc"}
ISTIO: Mapping[str, str] = {**OURS, "app.kubernetes.io/part-of": "istio"}


class Component(Protocol):
    """A module that makes one part of a cluster's overlay, in one file that is named after its registry key."""

    def lower(self, plan: Plan, cluster: ClusterPlan) -> Iterable[Body | SecretNeed | ChartNeed]:
        """The objects and needs of this part in this cluster; nothing if the cluster doesn't need this part."""
        ...


def thing(
    api_version: str,
    kind: str,
    name: str,
    namespace: str = "",
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **fields: Any,
) -> Body:
    """An object, without empty parts of its metadata."""
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = dict(labels)
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def load_balancer(
    name: str,
    namespace: str,
    before: tuple[Mapping[str, str], Iterable[Mapping[str, Any]]],
    address: str,
    app: str = "",
) -> Body:
    """A Service of type LoadBalancer for pods.

    The Service requests an IP address. A host name isn't requested: the user points its DNS record to the Service.
    """
    selector, ports = before
    spec: dict[str, Any] = {"ports": [dict(port) for port in ports], "selector": dict(selector), "type": "LoadBalancer"}
    if ip_version(address):
        spec["loadBalancerIP"] = address
    labels = {**ISTIO, "app": app} if app else ISTIO
    return thing("v1", "Service", name, namespace, labels=labels, spec=spec)


def binding(role: str, account: str, namespace: str, name: str, labels: Mapping[str, str]) -> Body:
    """A ClusterRoleBinding of a ClusterRole to one service account."""
    return thing(
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        name,
        labels=labels,
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    )


def rule(groups: Iterable[str], resources: Iterable[str], verbs: Iterable[str]) -> dict[str, list[str]]:
    """One rule of a role."""
    return {"apiGroups": list(groups), "resources": list(resources), "verbs": list(verbs)}

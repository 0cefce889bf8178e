"""Fixes the rendered objects of Istio's charts, so that the API server accepts them, and kustomize and GitOps engines
keep them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meshc.kube import Body, Version, identity_of

if TYPE_CHECKING:
    from meshc.plan.needs import ChartNeed


def flattened(body: Body, need: ChartNeed) -> Iterator[Body]:
    """The objects of a List as single objects."""
    if body.get("kind") == "List" and isinstance(body.get("items"), list):
        for item in body["items"]:
            yield from flattened(item, need)
    else:
        yield body


def unhooked(body: Body, need: ChartNeed) -> Iterator[Body]:
    """Drops Helm hooks, as a GitOps engine would run them or never delete them."""
    del need
    if "helm.sh/hook" not in (_metadata(body).get("annotations") or {}):
        yield body


def without_policies(body: Body, need: ChartNeed) -> Iterator[Body]:
    """Drops policies in a remote, as Pilot only reads policies in its own cluster."""
    del need
    if body.get("kind") not in ("MeshPolicy", "DestinationRule"):
        yield body


def without_scripts(body: Body, need: ChartNeed) -> Iterator[Body]:
    """Drops ConfigMaps with policies that a Job of the chart would apply."""
    del need
    if not identity_of(body).name.startswith(("istio-security-custom-resources", "istio-security-post-install")):
        yield body


CLUSTER_SCOPED = frozenset(
    (
        *("APIService", "CertificateSigningRequest", "ClusterIssuer", "ClusterRbacConfig", "ClusterRole"),
        *("ClusterRoleBinding", "ClusterTrustBundle", "CSIDriver", "CustomResourceDefinition", "GatewayClass"),
        *("IngressClass", "MeshPolicy", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"),
        *("MutatingWebhookConfiguration", "Namespace", "PersistentVolume", "PodSecurityPolicy", "PriorityClass"),
        *("RuntimeClass", "StorageClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
        "ValidatingWebhookConfiguration",
    )
)
"""Cluster-scoped kinds. meshc treats all other kinds as namespaced."""


def housed(body: Body, need: ChartNeed) -> Iterator[Body]:
    """The object, in the namespace of its release if its kind is namespaced and it names no namespace."""
    metadata = {key: value for key, value in _metadata(body).items() if key != "namespace" and value is not None}
    if body.get("kind") not in CLUSTER_SCOPED:
        metadata["namespace"] = _metadata(body).get("namespace") or need.namespace
    yield {**body, "metadata": metadata}


_GROUPS = {
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRole"): "rbac.authorization.k8s.io/v1",
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding"): "rbac.authorization.k8s.io/v1",
    ("rbac.authorization.k8s.io/v1beta1", "Role"): "rbac.authorization.k8s.io/v1",
    ("rbac.authorization.k8s.io/v1beta1", "RoleBinding"): "rbac.authorization.k8s.io/v1",
    ("extensions/v1beta1", "Deployment"): "apps/v1",
    ("extensions/v1beta1", "DaemonSet"): "apps/v1",
}


def current(body: Body, need: ChartNeed) -> Iterator[Body]:
    """The object with an API version that Kubernetes still serves."""
    del need
    newer = _GROUPS.get((str(body.get("apiVersion")), str(body.get("kind"))), body.get("apiVersion"))
    spec: Mapping[str, Any] = body.get("spec") or {}
    if body.get("kind") == "HorizontalPodAutoscaler":
        yield {**body, "spec": {**spec, "scaleTargetRef": {**spec["scaleTargetRef"], "apiVersion": "apps/v1"}}}
    elif newer == "apps/v1":
        labels = _metadata(spec.get("template") or {}).get("labels") or {}
        yield {**body, "apiVersion": newer, "spec": {"selector": {"matchLabels": dict(labels)}, **spec}}
    else:
        yield {**body, "apiVersion": newer}


_CA_BUNDLE_OPTIONAL = Version(1, 13)


def unbundled(body: Body, need: ChartNeed) -> Iterator[Body]:
    """The webhook without an empty CA bundle, which API servers refuse."""
    webhooks = body.get("webhooks")
    if need.kubernetes < _CA_BUNDLE_OPTIONAL or not isinstance(webhooks, list):
        yield body
        return
    yield {**body, "webhooks": [_without_empty_bundle(webhook) for webhook in webhooks]}


def _without_empty_bundle(webhook: Mapping[str, Any]) -> Mapping[str, Any]:
    client: Mapping[str, Any] = webhook.get("clientConfig") or {}
    if client.get("caBundle", "something"):
        return webhook
    return {**webhook, "clientConfig": {key: value for key, value in client.items() if key != "caBundle"}}


def closed(body: Body, need: ChartNeed) -> Iterator[Body]:
    """The webhook with the failure policy in the values."""
    base = need.values.get("base")
    policy = base.get("validationFailurePolicy") if isinstance(base, Mapping) else None
    if policy and body.get("kind") == "ValidatingWebhookConfiguration":
        body = {**body, "webhooks": [{**webhook, "failurePolicy": policy} for webhook in body["webhooks"]]}
    yield body


def _metadata(body: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = body.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}

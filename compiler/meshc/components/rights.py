"""The rights of istiod's accounts in remotes, and of an external istiod in its config cluster.

Source: charts base and istiod of Istio 1.24 to 1.32 (master of August 2026), in their order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from meshc.components.contract import rule
from meshc.kube import Version

_Line = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Grant:
    """One rule of a role, and the minor releases of Istio that have it: from `since`, and before `until`."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    since: _Line = (1, 24)
    until: _Line | None = None


def granted(grants: Sequence[Grant], version: Version, without: str = "") -> list[dict[str, list[str]]]:
    """The rules of a role for a version of Istio, without one resource."""
    return list(_rules(grants, version, without))


def _rules(grants: Sequence[Grant], version: Version, without: str) -> Iterator[dict[str, list[str]]]:
    for grant in grants:
        if grant.since <= version.line and (grant.until is None or version.line < grant.until):
            yield rule(grant.groups, [name for name in grant.resources if name != without], grant.verbs)


_READ = ("get", "list", "watch")
_STATUS = ("patch", "update")
_ALL = (*_READ, "create", "delete", "patch", "update")
_CORE = ("",)
_ISTIO = tuple(
    f"{name}.istio.io"
    for name in ("config", "security", "networking", "authentication", "rbac", "telemetry", "extensions")
)
_WEBHOOKS = ("admissionregistration.k8s.io",)
_GATEWAY_API, _EXPERIMENTAL = ("gateway.networking.k8s.io",), ("gateway.networking.x-k8s.io",)
_INFERENCE, _EARLY_INFERENCE = ("inference.networking.k8s.io",), ("inference.networking.x-k8s.io",)
_ROUTES = (
    *("backendtlspolicies", "gatewayclasses", "gateways", "grpcroutes", "httproutes", "referencegrants"),
    *("tcproutes", "tlsroutes", "udproutes"),
)

READER = (
    Grant(_ISTIO, ("*",), _READ),
    Grant(_CORE, ("endpoints", "pods", "services", "nodes", "replicationcontrollers", "namespaces", "secrets"), _READ),
    Grant(_CORE, ("configmaps",), ("create", "get", "list", "watch", "update")),
    Grant(("networking.x-k8s.io", *_GATEWAY_API), ("gateways",), _READ),
    Grant(("apiextensions.k8s.io",), ("customresourcedefinitions",), _READ),
    Grant(("discovery.k8s.io",), ("endpointslices",), _READ),
    Grant(("multicluster.x-k8s.io",), ("serviceexports",), (*_READ, "create", "delete")),
    Grant(("multicluster.x-k8s.io",), ("serviceimports",), _READ),
    Grant(("apps",), ("replicasets",), _READ),
    Grant(("authentication.k8s.io",), ("tokenreviews",), ("create",)),
    Grant(("authorization.k8s.io",), ("subjectaccessreviews",), ("create",)),
    Grant(_WEBHOOKS, ("mutatingwebhookconfigurations",), (*_READ, "update", "patch")),
    Grant(_WEBHOOKS, ("validatingwebhookconfigurations",), (*_READ, "update")),
)
"""The rights of a primary's istiod in a remote: read Services and pods, review tokens, patch webhooks, write roots."""

CONFIG_CLUSTER = (
    Grant(_WEBHOOKS, ("mutatingwebhookconfigurations",), (*_READ, *_STATUS)),
    Grant(_WEBHOOKS, ("validatingwebhookconfigurations",), (*_READ, "update")),
    Grant(_ISTIO, ("*",), _READ),
    Grant(("networking.istio.io",), ("workloadentries", "workloadentries/status", "serviceentries/status"), _ALL),
    Grant(("security.istio.io",), ("authorizationpolicies/status",), _ALL),
    Grant(_CORE, ("services/status",), _ALL),
    Grant(("apiextensions.k8s.io",), ("customresourcedefinitions",), _READ),
    Grant(_CORE, ("pods", "nodes", "services", "namespaces", "endpoints", "secrets"), _READ),
    Grant(_CORE, ("configmaps",), (*_READ, "create", "update")),
    Grant(("discovery.k8s.io",), ("endpointslices",), _READ),
    Grant(("networking.k8s.io",), ("ingresses", "ingressclasses"), _READ),
    Grant(("networking.k8s.io",), ("ingresses/status",), ("*",)),
    Grant(("authentication.k8s.io",), ("tokenreviews",), ("create",)),
    Grant(("authorization.k8s.io",), ("subjectaccessreviews",), ("create",)),
    Grant(("multicluster.x-k8s.io",), ("serviceexports",), (*_READ, "create", "delete")),
    Grant(("multicluster.x-k8s.io",), ("serviceimports",), _READ),
    Grant(_GATEWAY_API, ("*",), _READ),
    Grant(_GATEWAY_API, tuple(f"{route}/status" for route in _ROUTES), _STATUS),
    Grant(_GATEWAY_API, ("gatewayclasses",), ("create", "update", "patch", "delete")),
    Grant(_EXPERIMENTAL, ("*",), _READ, since=(1, 26)),
    Grant(_EXPERIMENTAL, ("xbackendtrafficpolicies/status",), _STATUS, since=(1, 26), until=(1, 32)),
    Grant(_EXPERIMENTAL, ("xbackends/status", "xbackendtrafficpolicies/status"), _STATUS, since=(1, 32)),
    Grant(_GATEWAY_API, ("listenersets/status",), _STATUS, since=(1, 30)),
    Grant(_EXPERIMENTAL, ("xlistenersets/status",), _STATUS, since=(1, 27), until=(1, 30)),
    Grant(_EARLY_INFERENCE, ("inferencepools",), _READ, since=(1, 27), until=(1, 28)),
    Grant(_EARLY_INFERENCE, ("inferencepools/status",), _STATUS, since=(1, 27), until=(1, 28)),
    Grant(_INFERENCE, ("inferencepools",), _READ, since=(1, 28)),
    Grant(_INFERENCE, ("inferencepools/status",), _STATUS, since=(1, 28)),
)
"""The rights of an external istiod in all namespaces of its config cluster."""

GATEWAYS = (
    Grant(("apps",), ("deployments",), _ALL),
    Grant(_CORE, ("services", "serviceaccounts"), _ALL),
    Grant(("autoscaling",), ("horizontalpodautoscalers",), _ALL, since=(1, 26)),
    Grant(("policy",), ("poddisruptionbudgets",), _ALL, since=(1, 26)),
)
"""The rights of an external istiod to make the objects of a Gateway of the Gateway API."""

OWN_NAMESPACE = (
    Grant(("networking.istio.io",), ("gateways",), ("create",)),
    Grant(_CORE, ("secrets",), (*_READ, "create", "update", "delete")),
    Grant(_CORE, ("configmaps",), ("delete",)),
    Grant(("coordination.k8s.io",), ("leases",), ("get", "update", "patch", "create")),
)
"""The rights of an external istiod in its own namespace: test its webhook, store a self-signed CA, elect a leader."""

"""Decides from labels, annotations and selector which of them a copy of a Service keeps, and which Services every
cluster has itself.

Tools that own, prune or adopt objects mark them with labels and annotations under their own domain. A mark of an
unknown tool could let that tool claim or delete a copy, so a copy keeps only known labels and annotations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshc.kube import as_list, at

_DESCRIBING = {f"app.kubernetes.io/{name}" for name in ("component", "name", "part-of", "version")}
_CLAIMING = {"chart", "heritage", "release"}
"""Labels by which a release of Helm 2 finds its objects; other labels without a prefix belong to the user."""
_OF_ISTIOS_TOOLS = ("gateway.istio.io", "install.operator.istio.io", "operator.istio.io", "topology.istio.io")
"""Labels of Istio's installers and gateways: they could cause an object to be pruned, or to count as a gateway."""
_IN_ISTIOS_NAMESPACE = frozenset(
    ("istiod", "istio-pilot", "istio-policy", "istio-telemetry", "zipkin", "istio-sidecar-injector", "istio-citadel")
)
_GATEWAYS = ("gateway.networking.k8s.io/gateway-name", "gateway.istio.io/managed")


def is_kept_label(key: str) -> bool:
    """True if a copy keeps a label: labels of users without a prefix, descriptive ones, and Istio's."""
    if "/" not in key:
        return key not in _CLAIMING and "." not in key
    return key in _DESCRIBING or is_kept_annotation(key)


def is_kept_annotation(key: str) -> bool:
    """True if a copy keeps an annotation: those that Istio reads from a Service."""
    return _in(key, "istio.io") and not any(_in(key, domain) for domain in _OF_ISTIOS_TOOLS)


def _in(key: str, domain: str) -> bool:
    """True if the prefix of a label or annotation is this domain or a subdomain."""
    prefix, slash, _ = key.partition("/")
    return bool(slash) and f".{prefix}".endswith(f".{domain}")


def not_copied(namespace: str, name: str, istio: str, body: Mapping[str, Any] | None = None) -> str:
    """Why a Service is never copied: every cluster has its own Service of that name. Empty for all others."""
    if namespace.startswith("kube-") or (namespace, name) == ("default", "kubernetes"):
        return f"{namespace}/{name} belongs to Kubernetes; a copy would replace the Service that every cluster has"
    if namespace == istio and (name in _IN_ISTIOS_NAMESPACE or name.startswith(("istiod-", "istio-sidecar-injector-"))):
        return f"{namespace}/{name} belongs to Istio; meshc makes the objects that remotes need"
    part = _part_of_istio(body) if body is not None else ""
    if part:
        return f"{namespace}/{name} is {part}, and every cluster has its own"
    return ""


def _part_of_istio(body: Mapping[str, Any]) -> str:
    """The part of Istio to which a Service belongs, if any, from its selector and its labels."""
    selector, labels = (_mapping(at(body, *path)) for path in (("spec", "selector"), ("metadata", "labels")))
    if any(key in selector or key in labels for key in _GATEWAYS):
        return "the Service of a Gateway"
    if selector.get("app") in ("istiod", "istio-pilot", "pilot") or selector.get("istio") == "pilot":
        return "a control plane of Istio"
    passes_on = "topology.istio.io/network" in labels and 15443 in _numbers(body)
    if passes_on or "istio" in selector or labels.get("operator.istio.io/component"):
        words = f"{selector.get('istio')} {labels.get('operator.istio.io/component')}".lower()
        return "a gateway of Istio" if passes_on or "gateway" in words else "a part of Istio"
    return ""


def _numbers(body: Mapping[str, Any]) -> list[Any]:
    return [at(port, "port") for port in as_list(at(body, "spec", "ports"))]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

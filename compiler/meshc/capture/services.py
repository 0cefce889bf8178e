"""Writes manifests from live Services, without the fields that the cluster added."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from meshc.capture.resource import core
from meshc.components.contract import OURS
from meshc.errors import UsageError
from meshc.kube import LABEL, at
from meshc.mesh.claims import not_copied
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.capture.ask import Api
    from meshc.kube import Body

_KEPT = (
    "type", "ports", "selector", "externalName", "sessionAffinity", "publishNotReadyAddresses", "trafficDistribution",
    "internalTrafficPolicy", "ipFamilyPolicy",
)  # fmt: skip
_OF_PORT = ("name", "port", "protocol", "targetPort", "appProtocol")
_DEFAULTS = {
    "type": "ClusterIP",
    "sessionAffinity": "None",
    "internalTrafficPolicy": "Cluster",
    "ipFamilyPolicy": "SingleStack",
}
_ADDED = ("kubectl.kubernetes.io/", "cloud.google.com/neg-status", "field.cattle.io/")
"""Annotations that tools add themselves; the first contains a whole copy of the object."""


def services(api: Api, namespace: str, istio: str, names: Collection[str]) -> list[Body]:
    """The Services of a namespace, cleaned, by name, without Services that every cluster has.

    Raises UsageError for an unknown name, and AskError.
    """
    found = {str(at(one, "metadata", "name")): one for one in api.listed(core("services", namespace))}
    if missing := [name for name in names if name not in found]:
        raise UsageError(f"{api.name} has no Service {namespace}/{missing[0]}")
    copies = {name for name, body in found.items() if is_copy(body)}
    if asked := sorted(copies & {*names}):
        raise UsageError(
            f"Service {namespace}/{asked[0]} of {api.name} is a copy by meshc: the Service runs in another cluster",
            "name the cluster that runs it",
        )
    chosen = [name for name in sorted(found.keys() - copies) if not names or name in names]
    return [
        cleaned(found[name])
        for name in chosen
        if LABEL.fullmatch(name) and not not_copied(namespace, name, istio, found[name])
    ]


def is_copy(body: Body) -> bool:
    """True if meshc made this Service as a copy: it has meshc's mark, and no selector."""
    ours = (at(body, "metadata", "labels") or {}).items() >= OURS.items()
    return ours and not at(body, "spec", "selector")


def cleaned(body: Body) -> Body:
    """A Service as a person would write it."""
    metadata, spec = at(body, "metadata") or {}, at(body, "spec") or {}
    kept: dict[str, Any] = {key: spec[key] for key in _KEPT if spec.get(key) not in (None, _DEFAULTS.get(key), False)}
    if spec.get("clusterIP") == "None":
        kept["clusterIP"] = "None"
    if isinstance(spec.get("ports"), list | tuple):
        kept["ports"] = [_port(port) for port in spec["ports"] if isinstance(port, dict)]
    annotations = {k: v for k, v in (at(metadata, "annotations") or {}).items() if not k.startswith(_ADDED)}
    described = {"name": metadata.get("name"), "namespace": metadata.get("namespace")}
    described |= {"labels": metadata["labels"]} if metadata.get("labels") else {}
    described |= {"annotations": annotations} if annotations else {}
    return {"apiVersion": "v1", "kind": "Service", "metadata": described, "spec": kept}


def _port(port: Body) -> Body:
    """Without the node port, which the cluster chose, and without a target port that equals the port."""
    kept = {key: port[key] for key in _OF_PORT if port.get(key) is not None}
    if kept.get("targetPort") == kept.get("port"):
        del kept["targetPort"]
    if kept.get("protocol") == "TCP":
        del kept["protocol"]
    return kept


def manifest(bodies: Sequence[Body]) -> bytes:
    """The objects as one file of YAML."""
    return "---\n".join(write(body) for body in bodies).encode()

"""Reads from a user's Service what its copies need. istiod reads the ports and addresses of a Service from every
cluster, and everything else from the Service in the primary (Istio 1.30, aggregate controller).

A copy in a primary therefore decides for every sidecar, and keeps every field that istiod reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meshc import codes
from meshc.errors import Code, Path
from meshc.kube import LABEL, SUBDOMAIN
from meshc.mesh.claims import is_kept_annotation, is_kept_label

PREFERENCES = ("PreferClose", "PreferSameZone", "PreferSameNode")
"""The values of trafficDistribution that Kubernetes knows."""


@dataclass(frozen=True, slots=True, order=True)
class ExportPort:
    """A port as clients in other clusters see it, without the target port, which may differ in each cluster."""

    port: int
    name: str
    protocol: str
    app_protocol: str


@dataclass(frozen=True, slots=True)
class Traits:
    """The fields of a Service, besides its ports, that istiod reads. They are equal in every cluster that runs it."""

    headless: bool = False
    external_name: str = ""
    publish_not_ready: bool = False
    traffic_distribution: str = ""
    node_local: bool = False
    dual_stack: bool = False


@dataclass(frozen=True, slots=True)
class Copied:
    """The copied part of a Service; the namespace is empty if nothing names one."""

    namespace: str
    name: str
    ports: tuple[ExportPort, ...]
    traits: Traits
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class NotCopiedError(Exception):
    """A Service that can't be copied; `path` is below it."""

    def __init__(self, path: Path, what: str, hint: str = "", code: Code = codes.BAD_SERVICE) -> None:
        super().__init__(what)
        self.path, self.hint, self.code = path, hint, code


_NAME_RULE = "its name must be a DNS-1123 label: lower case letters, digits and -"
_MEND = "fix the manifest, or exclude the Service"


def read_service(body: Mapping[str, Any], namespace: str, read: frozenset[str]) -> Copied:
    """The copied part of a Service.

    Raises NotCopiedError. `namespace` is used if the Service names none, `read` are labels that the mesh's
    configuration reads.
    """
    metadata, spec = _mapping(body, "metadata"), _mapping(body, "spec")
    name = metadata.get("name")
    if not isinstance(name, str) or not LABEL.fullmatch(name):
        raise NotCopiedError(("metadata", "name"), _NAME_RULE if name else "metadata.name is missing", _MEND)
    namespace = metadata.get("namespace") or namespace
    if not isinstance(namespace, str) or (namespace and not LABEL.fullmatch(namespace)):
        raise NotCopiedError(("metadata", "namespace"), "its namespace must be a DNS-1123 label", _MEND)
    traits = _traits(spec)
    ports = spec.get("ports") or ()
    if not isinstance(ports, tuple) or not (ports or traits.headless or traits.external_name):
        raise NotCopiedError(("spec", "ports"), "spec.ports must be a list with at least one port")
    labels = {k: v for k, v in _texts(metadata, "labels").items() if k in read or is_kept_label(k)}
    annotations = {k: v for k, v in _texts(metadata, "annotations").items() if is_kept_annotation(k)}
    return Copied(namespace, name, _ports(ports), traits, labels, annotations)


def _traits(spec: Mapping[str, Any]) -> Traits:
    external: Any = ""
    if spec.get("type") == "ExternalName":
        external = spec.get("externalName")
        if not isinstance(external, str) or not SUBDOMAIN.fullmatch(external.removesuffix(".")):
            raise NotCopiedError(("spec", "externalName"), "externalName must be a host name in lower case")
    preference = spec.get("trafficDistribution") or ""
    if preference and preference not in PREFERENCES:
        known = f"trafficDistribution must be one of {', '.join(PREFERENCES)}"
        raise NotCopiedError(("spec", "trafficDistribution"), known)
    early = spec.get("publishNotReadyAddresses") or False
    if not isinstance(early, bool):
        raise NotCopiedError(("spec", "publishNotReadyAddresses"), "publishNotReadyAddresses must be true or false")
    return Traits(
        headless=not external and spec.get("clusterIP") == "None",
        external_name=external,
        publish_not_ready=early,
        traffic_distribution=preference,
        node_local=spec.get("internalTrafficPolicy") == "Local",
        dual_stack=not external and spec.get("ipFamilyPolicy") in ("PreferDualStack", "RequireDualStack"),
    )


def _ports(ports: tuple[Any, ...]) -> tuple[ExportPort, ...]:
    read = tuple(_port(port, number, len(ports)) for number, port in enumerate(ports))
    for number, port in enumerate(read):
        for other in read[:number]:
            if (port.port, port.protocol) == (other.port, other.protocol):
                raise NotCopiedError(("spec", "ports", number), f"port {port.port}/{port.protocol} is listed twice")
            if port.name == other.name:
                raise NotCopiedError(("spec", "ports", number, "name"), f'two ports are named "{port.name}"')
    return read


def _port(port: Any, number: int, count: int) -> ExportPort:
    at: Path = ("spec", "ports", number)
    if not isinstance(port, dict):
        raise NotCopiedError(at, "a port must be a mapping")
    value, name = port.get("port"), port.get("name") or ""
    if type(value) is not int or not 1 <= value <= 65535:
        rule = "between 1 and 65535" if isinstance(value, int) else "a number, without quotes"
        raise NotCopiedError((*at, "port"), f"a port must be {rule}")
    if not isinstance(name, str):
        raise NotCopiedError((*at, "name"), f'port {value}: its name must be text; write "{name}" in quotes')
    if name and not LABEL.fullmatch(name):
        raise NotCopiedError((*at, "name"), f"port {value}: its name must be lower case letters, digits and -")
    if not name and count > 1:
        raise NotCopiedError(at, f"port {value} needs a name, as there are several")
    protocol, application = port.get("protocol") or "TCP", port.get("appProtocol") or ""
    if protocol not in ("TCP", "UDP", "SCTP"):
        raise NotCopiedError((*at, "protocol"), f"port {value}: its protocol must be TCP, UDP or SCTP")
    if not isinstance(application, str):
        raise NotCopiedError((*at, "appProtocol"), f"port {value}: its appProtocol must be text")
    return ExportPort(value, name, protocol, application)


def _mapping(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = body.get(key)
    if not isinstance(value, dict):
        raise NotCopiedError((key,), f"{key} must be a mapping")
    return value


def _texts(metadata: Mapping[str, Any], key: str) -> dict[str, str]:
    value = metadata.get(key) or {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise NotCopiedError(
            ("metadata", key), f"{key} must be a mapping of texts; quote numbers and words such as true"
        )
    return value

"""exports turns `services` and their manifests into the Services that clusters offer one another."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.kube import LABEL, PORT_NAME
from meshc.mesh.inputs import objects_in
from meshc.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshc.errors import Path, Place, Problem
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.inputs import Inputs, Manifest
    from meshc.mesh.model import Service
    from meshc.mesh.source import Source


GLOBAL = "istio.io/global"
"""The label of ambient services that other clusters may call: `serviceScopeConfigs` of the charts' profile ambient."""


@dataclass(frozen=True, slots=True, order=True)
class ExportPort:
    """A port as clients in other clusters see it; the target port is each cluster's own matter."""

    port: int
    name: str
    protocol: str
    app_protocol: str


@dataclass(frozen=True, slots=True)
class Export:
    """One Service: what its copies say, where it runs (`homes`), and which clusters want one (`clients`)."""

    entry: int
    namespace: str
    name: str
    ports: tuple[ExportPort, ...]
    headless: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    homes: tuple[str, ...]
    clients: tuple[str, ...]
    place: Place

    @property
    def key(self) -> tuple[str, str]:
        return (self.namespace, self.name)


class _BadServiceError(Exception):
    """A manifest's Service that can't be copied; `path` is below the Service."""

    def __init__(self, path: Path, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.path = path
        self.hint = hint


_MEND = "mend the manifest, or add exclude: [{name}] to the entry"


def read_exports(fleet: Fleet, source: Source, inputs: Inputs) -> tuple[tuple[Export, ...], list[Problem]]:
    """Every exported Service in the order of mesh.yaml, and every fault of the entries and manifests."""
    found: list[Export] = []
    problems: list[Problem] = []
    others: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[str, ...]] = {}
    for index, entry in enumerate(fleet.mesh.spec.services):
        homes, clients = fleet.choose_workloads(entry.clusters), fleet.choose_workloads(entry.copy_to)
        if (homes, clients) not in others:  # most entries of a fleet say the same
            at_home = set(homes)
            # Where it runs nobody knows: a copy could come to stand over the Service itself.
            others[homes, clients] = tuple(name for name in clients if homes and name not in at_home)
        clients = others[homes, clients]
        if entry.manifests is None:
            found.append(_inline(index, entry, homes, clients, source))
        elif entry.manifests in inputs.manifests:
            manifests, istio = inputs.manifests[entry.manifests], fleet.mesh.spec.istio.namespace
            exports, faults = _from_manifests(index, entry, homes, clients, source, manifests, istio)
            found += exports
            problems += faults
    return tuple(found), problems


def _inline(index: int, entry: Service, homes: tuple[str, ...], clients: tuple[str, ...], source: Source) -> Export:
    ports = tuple(ExportPort(p.port, p.name or "", p.protocol, p.app_protocol or "") for p in entry.ports)
    place = source.document.place(("spec", "services", index, "ports"))
    return Export(index, entry.namespace or "", entry.name, ports, entry.headless, {}, {}, homes, clients, place)


def _from_manifests(
    index: int,
    entry: Service,
    homes: tuple[str, ...],
    clients: tuple[str, ...],
    source: Source,
    manifests: tuple[Manifest, ...],
    istio: str,
) -> tuple[list[Export], list[Problem]]:
    at: Path = ("spec", "services", index)
    exports: list[Export] = []
    problems: list[Problem] = []
    services = [item for item in objects_in(manifests) if _is_service(item[2])]
    names = [_name_of(body) for _, _, body in services]
    present = set(names)
    for field, listed in (("include", entry.include or ()), ("exclude", entry.exclude)):
        for number, name in enumerate(listed):
            if name not in present:
                close = nearest(name, names)
                hint = f'did you mean "{close}"?' if close else f"Services there: {', '.join(names) or 'none'}"
                problems.append(
                    source.problem(
                        codes.UNKNOWN_SERVICE,
                        (*at, field, number),
                        f'"{name}" is no Service in "{entry.manifests}"',
                        hint,
                    )
                )
    for (manifest, path, body), name in zip(services, names, strict=True):
        if (entry.include is not None and name not in entry.include) or name in entry.exclude:
            continue
        place = manifest.place((*path, "metadata", "name"))
        spec = body.get("spec")
        if isinstance(spec, dict) and spec.get("type") == "ExternalName":
            what = f'Service "{name}" is of type ExternalName: a copy would point nowhere, none is made'
            problems.append(codes.EXTERNAL_NAME.at(place, what, f"add exclude: [{name}] to the entry", clusters=homes))
            continue
        try:
            export = _export(index, entry, body, homes, clients, place, istio)
        except _BadServiceError as fault:
            what = f'Service "{name}": {fault}' if name else f"a Service without a name: {fault}"
            spot = manifest.place((*path, *fault.path))
            problems.append(
                codes.BAD_SERVICE.at(spot, what, fault.hint or _MEND.format(name=name or "..."), clusters=homes)
            )
            continue
        if not export.namespace:
            hint = f"add namespace: to entry {entry.name} in {source.file}, or to the manifest"
            problems.append(
                codes.NAMESPACE_UNKNOWN.at(
                    place, f'Service "{name}" names no namespace', hint, also=(source.document.place(at),)
                )
            )
        elif twin := next((e for e in exports if e.key == export.key), None):
            what = f'Service "{export.namespace}/{name}" stands twice in "{entry.manifests}"'
            problems.append(codes.DUPLICATE_SERVICE.at(place, what, "keep one of the two", also=(twin.place,)))
        else:
            exports.append(export)
    if not services:
        what = f'no Service object in "{entry.manifests}"'
        problems.append(
            source.problem(
                codes.NO_SERVICES,
                (*at, "manifests"),
                what,
                "name the folder or file that holds kind: Service",
            )
        )
    elif not exports and not problems:
        problems.append(
            source.problem(
                codes.NO_SERVICES,
                at,
                f'include and exclude of entry "{entry.name}" leave no Service over',
                f"Services there: {', '.join(names)}",
            )
        )
    return exports, problems


def _name_of(body: Mapping[str, Any]) -> str:
    metadata = body.get("metadata")
    return str(metadata.get("name") or "") if isinstance(metadata, dict) else ""


def _is_service(data: Any) -> bool:
    return isinstance(data, dict) and data.get("kind") == "Service" and data.get("apiVersion") == "v1"


_NAME_RULE = "its name must be a DNS-1123 label: lower case letters, digits and -"
_ISTIOS = (
    "istiod",
    "istio-pilot",
    "istio-policy",
    "istio-telemetry",
    "zipkin",
    "istio-sidecar-injector",
    "istio-citadel",
)


def not_copied(namespace: str, name: str, istio: str) -> str:
    """Why a Service is never copied: every cluster has its own of that name. Empty for all others."""
    if namespace.startswith("kube-") or (namespace, name) == ("default", "kubernetes"):
        return f"{namespace}/{name} is Kubernetes' own; a copy would replace the one that every cluster has"
    if namespace == istio and name in _ISTIOS:
        return f"{namespace}/{name} is Istio's own; meshc makes what remotes need of it"
    return ""


def _export(
    index: int,
    entry: Service,
    body: Mapping[str, Any],
    homes: tuple[str, ...],
    clients: tuple[str, ...],
    place: Place,
    istio: str,
) -> Export:
    metadata = _mapping(body, "metadata", ())
    spec = _mapping(body, "spec", ())
    name = metadata.get("name")
    if not isinstance(name, str) or not LABEL.fullmatch(name):
        raise _BadServiceError(
            ("metadata", "name"), _NAME_RULE if name else "metadata.name is missing", "mend the manifest"
        )
    namespace = metadata.get("namespace") or entry.namespace or ""
    if not isinstance(namespace, str) or (namespace and not LABEL.fullmatch(namespace)):
        raise _BadServiceError(("metadata", "namespace"), "its namespace must be a DNS-1123 label", "mend the manifest")
    if why := not_copied(namespace, name, istio):
        raise _BadServiceError(("metadata", "name"), why, f"add exclude: [{name}] to the entry")
    headless = spec.get("clusterIP") == "None"
    ports = spec.get("ports") or ()
    if not isinstance(ports, tuple) or not (ports or headless):
        raise _BadServiceError(("spec", "ports"), "spec.ports must be a list with at least one port")
    labels = {k: v for k, v in _texts(metadata, "labels").items() if not _owners(k)}
    annotations = {k: v for k, v in _texts(metadata, "annotations").items() if _in(k, "istio.io")}
    read = tuple(_port(port, number, len(ports)) for number, port in enumerate(ports))
    for number, port in enumerate(read):
        for other in read[:number]:
            if (port.port, port.protocol) == (other.port, other.protocol):
                raise _BadServiceError(("spec", "ports", number), f"port {port.port}/{port.protocol} stands twice")
            if port.name == other.name:
                raise _BadServiceError(("spec", "ports", number, "name"), f'two ports are named "{port.name}"')
    return Export(index, namespace, name, read, headless, labels, annotations, homes, clients, place)


def _port(port: Any, number: int, count: int) -> ExportPort:
    at: Path = ("spec", "ports", number)
    if not isinstance(port, dict):
        raise _BadServiceError(at, "a port must be a mapping")
    value, name = port.get("port"), port.get("name") or ""
    if type(value) is not int or not 1 <= value <= 65535:
        rule = "between 1 and 65535" if isinstance(value, int) else "a number, without quotes"
        raise _BadServiceError((*at, "port"), f"a port must be {rule}")
    if not isinstance(name, str) or (name and (len(name) > 63 or not PORT_NAME.fullmatch(name))):
        raise _BadServiceError((*at, "name"), f"port {value}: its name must be lower case letters, digits and -")
    if not name and count > 1:
        raise _BadServiceError(at, f"port {value} needs a name, as there are several")
    protocol, application = port.get("protocol") or "TCP", port.get("appProtocol") or ""
    if protocol not in ("TCP", "UDP", "SCTP"):
        raise _BadServiceError((*at, "protocol"), f"port {value}: its protocol must be TCP, UDP or SCTP")
    if not isinstance(application, str):
        raise _BadServiceError((*at, "appProtocol"), f"port {value}: its appProtocol must be text")
    return ExportPort(value, name, protocol, application)


def _mapping(body: Mapping[str, Any], key: str, at: Path) -> Mapping[str, Any]:
    value = body.get(key)
    if not isinstance(value, dict):
        raise _BadServiceError((*at, key), f"{key} must be a mapping")
    return value


def _texts(metadata: Mapping[str, Any], key: str) -> dict[str, str]:
    value = metadata.get(key) or {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise _BadServiceError(
            ("metadata", key), f"{key} must be a mapping of texts; quote numbers and words such as true"
        )
    return value


_OWNER_LABELS = {"app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "chart", "heritage", "release"}
_OWNER_DOMAINS = ("helm.sh", "argocd.argoproj.io", "fluxcd.io", "cattle.io", "topology.istio.io")


def _owners(label: str) -> bool:
    """Labels by which Helm, Argo CD or Flux claim an object, or Istio a gateway: lies on a copy."""
    return label in _OWNER_LABELS or any(_in(label, domain) for domain in _OWNER_DOMAINS)


def _in(key: str, domain: str) -> bool:
    """Whether a label's or annotation's prefix is a domain or lies below it."""
    prefix, slash, _ = key.partition("/")
    return bool(slash) and f".{prefix}".endswith(f".{domain}")


def described(port: ExportPort) -> str:
    """A port in words, for messages."""
    name = json.dumps(port.name) if port.name else "without a name"
    return f"{port.port}/{port.protocol} {name}" + (f" ({port.app_protocol})" if port.app_protocol else "")

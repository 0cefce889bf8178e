"""Finds the copies of Services that each cluster gets: shared copies in bases, others in the cluster's own overlay."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from meshc.kube import Version
from meshc.mesh.exports import GLOBAL
from meshc.plan.offers import Port, ServiceBase, ServiceCopy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from meshc.mesh.exports import Export
    from meshc.mesh.fleet import Fleet

TRAFFIC_DISTRIBUTION = "networking.istio.io/traffic-distribution"
"""istiod reads a Service's trafficDistribution from this annotation too (1.25 and later)."""

_DISTRIBUTES, _PREFERS_NODES = Version(1, 31), Version(1, 34)
"""The first Kubernetes with trafficDistribution by default, and the first with PreferSameZone and PreferSameNode."""
_APP_PROTOCOL, _DUAL_STACK, _INTERNAL_POLICY = Version(1, 19), Version(1, 21), Version(1, 22)
"""The first Kubernetes that has each of these fields of a Service by default."""


_Own = dict[str, tuple[ServiceCopy, ...]]


def share(fleet: Fleet, exports: Sequence[Export]) -> tuple[tuple[ServiceBase, ...], _Own]:
    """Splits the copies into bases, which all clients of an entry share, and copies of single clusters.

    A cluster never gets a copy of a Service that runs there. If several entries offer one Service, a cluster gets the
    copy of the first entry. A copy is in a base only if all clients of the entry get it, and in the same form for
    their Kubernetes versions. Otherwise it is in the clients' own overlays.
    """
    homes: dict[tuple[str, str], set[str]] = {}
    offers = Counter(export.key for export in exports)
    ambient = {fleet.mesh.spec.namespaces[number].name for number in fleet.ambient_namespaces}
    versions = {member.name: fleet.kubernetes_of(member) for member in fleet}
    ranges: dict[tuple[str, ...], tuple[Version, Version]] = {}
    for export in exports:
        homes.setdefault(export.key, set()).update(export.homes, export.occupied)
    taken: set[tuple[str, tuple[str, str]]] = set()
    shared: dict[int, list[ServiceCopy]] = {}
    clients: dict[int, tuple[str, ...]] = {}
    own: dict[str, list[ServiceCopy]] = {}
    for export in exports:
        served = export.clients
        if not served:
            continue
        if offers[export.key] > 1 or export.occupied:
            served = tuple(c for c in served if c not in homes[export.key] and (c, export.key) not in taken)
            taken.update((c, export.key) for c in served)
        copy = _copy(export, export.namespace in ambient)
        if export.clients not in ranges:
            ranges[export.clients] = _range(versions[name] for name in export.clients)
        oldest, newest = (_fitted(copy, version) for version in ranges[export.clients])
        if served == export.clients and oldest == newest:
            shared.setdefault(export.entry, []).append(oldest)
            clients[export.entry] = served
        else:
            for name in served:
                own.setdefault(name, []).append(_fitted(copy, versions[name]))
    names = [entry.name for entry in fleet.mesh.spec.services]
    bases = tuple(ServiceBase(names[entry], clients[entry], tuple(copies)) for entry, copies in shared.items())
    return bases, {name: tuple(copies) for name, copies in own.items()}


def _range(versions: Iterable[Version]) -> tuple[Version, Version]:
    found = list(versions)
    return min(found), max(found)


def _copy(export: Export, ambient: bool) -> ServiceCopy:
    """The copy of an export. In ambient, the copy needs the label for calls from other clusters too."""
    traits = export.traits
    return ServiceCopy(
        namespace=export.namespace,
        name=export.name,
        homes=export.homes,
        ports=tuple(Port(p.port, p.name, p.protocol, p.app_protocol) for p in export.ports),
        headless=traits.headless,
        labels={**export.labels, GLOBAL: "true"} if ambient else export.labels,
        annotations=export.annotations,
        external_name=traits.external_name,
        publish_not_ready=traits.publish_not_ready,
        traffic_distribution=traits.traffic_distribution,
        node_local=traits.node_local,
        dual_stack=traits.dual_stack,
    )


def _fitted(copy: ServiceCopy, kubernetes: Version) -> ServiceCopy:
    """The copy without fields that a version of Kubernetes doesn't have. With 0.0, an unknown version, it keeps them.

    istiod's annotation then replaces trafficDistribution. If a Service has both, istiod uses the field.
    """
    if kubernetes == Version(0, 0):
        return copy
    wanted = copy.traffic_distribution
    if wanted and kubernetes < (_DISTRIBUTES if wanted == "PreferClose" else _PREFERS_NODES):
        annotations = {**copy.annotations, TRAFFIC_DISTRIBUTION: wanted}
        copy = replace(copy, traffic_distribution="", annotations=annotations)
    if kubernetes < _DUAL_STACK and copy.dual_stack:
        copy = replace(copy, dual_stack=False)
    if kubernetes < _INTERNAL_POLICY and copy.node_local:
        copy = replace(copy, node_local=False)
    if kubernetes < _APP_PROTOCOL and any(port.app_protocol for port in copy.ports):
        copy = replace(copy, ports=tuple(replace(port, app_protocol="") for port in copy.ports))
    return copy

"""Reports copies of Services that are applied without error, but that no client can use.

Either Istio doesn't serve the Service to other clusters, or its pods or its callers aren't in the mesh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes
from meshc.kube import Version, as_list, at
from meshc.mesh.mesh_config import captures_dns, settings_of
from meshc.mesh.selecting import selects
from meshc.nearest import nearest, slip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from meshc.errors import Problem
    from meshc.mesh.exports import Export
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source

_RELAXED = Version(1, 36)
"""The first Kubernetes in which a Service's name may begin with a digit (RelaxedServiceNameValidation, beta)."""
_NO_COPY = "exclude it from the entry, or acknowledge it"


def names(fleet: Fleet, exports: Sequence[Export]) -> Iterator[Problem]:
    """A Service's name may begin with a digit only if Kubernetes allows that in all clusters with the Service."""
    for export in exports:
        if not export.name[:1].isdigit():
            continue
        clusters = [name for name in (*export.homes, *_served(export)) if _is_before(fleet, name, _RELAXED)]
        for name in clusters:
            version = fleet.kubernetes_of(fleet.by_name[name])
            what = f'{name}: Kubernetes {version} refuses a Service whose name begins with a digit: "{export.name}"'
            hint = "rename it, or remove the cluster until it has Kubernetes 1.36"
            yield codes.BAD_SERVICE.at(export.place, what, hint, clusters=(name,))


def _is_before(fleet: Fleet, name: str, version: Version) -> bool:
    return Version(0, 0) < fleet.kubernetes_of(fleet.by_name[name]) < version


def served(fleet: Fleet, exports: Sequence[Export]) -> Iterator[Problem]:
    """Reports Services that Istio doesn't serve outside their cluster, node or namespace, or not at all."""
    local = _cluster_local(fleet)
    for export in exports:
        clients = _served(export)
        why = _unserved(fleet, export, local) if clients else ""
        if why:
            what = f'clients can\'t use copies of Service "{export.namespace}/{export.name}": it {why}'
            yield codes.UNSERVED.at(export.place, what, _NO_COPY, clusters=clients)


def _unserved(fleet: Fleet, export: Export, local: Sequence[tuple[str, bool]]) -> str:
    if export.ports and all(port.protocol != "TCP" for port in export.ports):
        return (
            f"has {' and '.join(sorted({p.protocol for p in export.ports}))} ports only, which sidecars don't forward"
        )
    if fleet.classic:
        return ""
    if export.traits.node_local:
        return "has internalTrafficPolicy: Local, so sidecars call only pods on their own node"
    visible = {name.strip() for name in export.annotations.get("networking.istio.io/exportTo", "").split(",")}
    if "~" in visible:
        return 'has exportTo "~", so istiod ignores it'
    if _is_local(f"{export.name}.{export.namespace}.svc.{fleet.mesh.spec.istio.cluster_domain}", local):
        return "is clusterLocal in meshConfig.serviceSettings"
    return ""


def _cluster_local(fleet: Fleet) -> list[tuple[str, bool]]:
    """The hosts of meshConfig.serviceSettings of all control planes, each with its clusterLocal."""
    found: dict[tuple[str, bool], None] = {}
    for member in fleet.primaries:
        for one in as_list(settings_of(fleet, member, "serviceSettings")):
            local = at(one, "settings", "clusterLocal") is True
            found |= {(host, local): None for host in as_list(at(one, "hosts")) if isinstance(host, str)}
    return list(found)


def _is_local(host: str, settings: Iterable[tuple[str, bool]]) -> bool:
    """True if a host is cluster-local. Like istiod, prefers the exact name, then the longest wildcard."""
    fitting = [
        (pattern.startswith("*"), -len(pattern), local)
        for pattern, local in settings
        if pattern == host or (pattern.startswith("*") and host.endswith(pattern[1:]))
    ]
    return min(fitting)[2] if fitting else False


def headless(fleet: Fleet, exports: Sequence[Export]) -> Iterator[Problem]:
    """Reports headless Services that other clusters can't resolve.

    Sidecars resolve their names with istiod's name table, which has only addresses that istiod can route to.
    """
    if fleet.only_ambient:
        return
    capturing = {member.name for member in fleet if captures_dns(fleet, member)}
    for export in exports:
        clients = _served(export) if export.traits.headless else ()
        if not clients:
            continue
        host = f'headless Service "{export.namespace}/{export.name}"'
        if not export.ports:
            what = f"{host} has no ports, so istiod sends no addresses of it to sidecars in other clusters"
            yield codes.HEADLESS_UNREACHED.at(
                export.place, what, "give it a port that its pods serve", clusters=clients
            )
            continue
        near = {fleet.network_of(fleet.by_name[name]) for name in export.homes}
        far: dict[str, list[str]] = {}
        for name in clients if fleet.several_networks else ():
            network = fleet.network_of(fleet.by_name[name])
            if network not in near:
                far.setdefault(str(network), []).append(name)
        for network, there in far.items():
            what = f'{host} never resolves in network "{network}": istiod sends no pod addresses of other networks'
            hint = "give it a cluster IP, or let clients call another Service that has one"
            yield codes.HEADLESS_UNREACHED.at(export.place, what, hint, clusters=there)
        away = {name for names in far.values() for name in names}
        without = [name for name in clients if name not in away and name not in capturing]
        if without:
            what = f"{host} resolves in other clusters only where sidecars capture DNS"
            hint = 'set meshConfig.defaultConfig.proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}'
            yield codes.DNS_CAPTURE.at(export.place, what, hint, clusters=without)


def _served(export: Export) -> tuple[str, ...]:
    return tuple(name for name in export.clients if name not in export.occupied)


def dataplanes(fleet: Fleet, source: Source, exports: Sequence[Export]) -> Iterator[Problem]:
    """The namespace of an exported Service is in the mesh wherever the Service runs, as its pods need a sidecar.

    If mesh.yaml lists no namespaces, nothing is known about them, so nothing is reported.
    """
    spec = fleet.mesh.spec
    known = {namespace.name: number for number, namespace in enumerate(spec.namespaces)}
    if not known:
        return
    strict = fleet.several_networks and spec.security.mutual_tls == "strict"
    told: set[tuple[int, str]] = set()
    for export in exports:
        if export.namespace == spec.istio.namespace or (export.entry, export.namespace) in told or not _served(export):
            continue
        told.add((export.entry, export.namespace))
        outside, why = _outside(fleet, export, known)
        if not outside:
            continue
        own = spec.services[export.entry].namespace == export.namespace
        place = source.document.place(("spec", "services", export.entry, "namespace")) if own else export.place
        close = nearest(export.namespace, known) if export.namespace not in known else None
        if close:
            what = f'no entry of namespaces is named "{export.namespace}"'
            fix = slip(export.namespace, known) if own else None
            yield codes.UNKNOWN_NAMESPACE.at(place, what, f'did you mean "{close}"?', clusters=outside, fix=fix)
            continue
        what = (
            f'namespace "{export.namespace}" {why}, so the pods of its Services have no sidecar in {", ".join(outside)}'
        )
        hint = "add the namespace with dataplane: sidecar or ambient"
        code = codes.NEVER_REACHED if strict else codes.NOT_IN_MESH
        yield code.at(place, what, hint, clusters=outside)


def callers(fleet: Fleet, source: Source, exports: Sequence[Export]) -> Iterator[Problem]:
    """A cluster with copies has a namespace in the mesh: a pod without a sidecar can't call a copied Service."""
    spec = fleet.mesh.spec
    if not spec.namespaces:
        return
    inside = [namespace for namespace in spec.namespaces if namespace.dataplane != "none"]
    wanted = {name for export in exports for name in _served(export)}
    for member in fleet:
        if member.name in wanted and not any(selects(one.clusters, member.cluster) for one in inside):
            what = f"{member.name}: it gets copies of Services, but no pod of the mesh can call them there"
            hint = "add the cluster to the clusters of a namespace, or remove it from copyTo"
            yield source.problem(codes.NOT_IN_MESH, member.path("name"), what, hint, clusters=(member.name,))


def _outside(fleet: Fleet, export: Export, known: dict[str, int]) -> tuple[tuple[str, ...], str]:
    """The clusters in which a Service runs outside the mesh, and the reason."""
    if export.namespace not in known:
        return export.homes, "isn't under namespaces"
    namespace = fleet.mesh.spec.namespaces[known[export.namespace]]
    if namespace.dataplane == "none":
        return export.homes, "has dataplane: none"
    there = set(fleet.choose(namespace.clusters))
    return tuple(name for name in export.homes if name not in there), "is in other clusters"

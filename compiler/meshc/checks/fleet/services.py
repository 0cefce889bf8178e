"""Checks `services`: a Service is the same in every cluster (istio#46105, istio.io#11680)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.mesh.claims import not_copied
from meshc.mesh.exports import described

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from meshc.errors import Problem
    from meshc.mesh.copied import ExportPort, Traits
    from meshc.mesh.exports import Export
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source


def entries(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Entries have unique names, Services that meshc can copy, and ports that fit in one Service."""
    first: dict[str, int] = {}
    for number, entry in enumerate(fleet.mesh.spec.services):
        if entry.name in first:
            also = source.document.place(("spec", "services", first[entry.name], "name"))
            what = f'a second entry is named "{entry.name}"; each name is a folder under overlays/_services/'
            yield source.problem(
                codes.DUPLICATE_ENTRY, ("spec", "services", number, "name"), what, "rename one", also=(also,)
            )
        first.setdefault(entry.name, number)
        reason = not_copied(entry.namespace or "", entry.name, fleet.mesh.spec.istio.namespace)
        if entry.manifests is None and reason:
            at = ("spec", "services", number, "name")
            yield source.problem(codes.BAD_SERVICE, at, reason, "remove the entry")
        seen: dict[object, int] = {}
        for position, port in enumerate(entry.ports):
            path = ("spec", "services", number, "ports", position)
            if port.name is None and len(entry.ports) > 1:
                yield source.problem(
                    codes.BAD_SERVICE,
                    path,
                    f"port {port.port} needs a name, as there are several",
                    "add a name, such as name: http for HTTP",
                )
            for key in ((port.port, port.protocol), port.name):
                if key is not None and key in seen:
                    what = (
                        f"port {port.port} is listed twice"
                        if isinstance(key, tuple)
                        else f'two ports are named "{key}"'
                    )
                    also = source.document.place(("spec", "services", number, "ports", seen[key]))
                    yield source.problem(codes.BAD_SERVICE, path, what, "remove one of the two", also=(also,))
                seen.setdefault(key, position)


def _whose(fleet: Fleet, export: Export) -> str:
    return f"{', '.join(export.homes)} (entry {fleet.mesh.spec.services[export.entry].name})"


def clashes(fleet: Fleet, exports: Sequence[Export]) -> Iterable[Problem]:
    """Two entries for the same Service have the same ports (number, name, protocol) and the same traits."""
    first: dict[tuple[str, str], Export] = {}
    for export in exports:
        other = first.setdefault(export.key, export)
        if other is export:
            continue
        host, here, there = f"{export.namespace}/{export.name}", _whose(fleet, export), _whose(fleet, other)
        clusters = tuple(dict.fromkeys((*other.homes, *export.homes)))
        for mine, theirs in _trait_differences(export.traits, other.traits):
            what = f"Service {host} {mine} in {here}, but {theirs} in {there}"
            hint = "make both the same: istiod configures all sidecars from the Service in the primary"
            yield codes.PORT_CLASH.at(export.place, what, hint, also=(other.place,), clusters=clusters)
        for mine, theirs in _differences(export.ports, other.ports):
            what = f"Service {host} has {mine} in {here}, but {theirs} in {there}"
            hint = "write the same name, number and protocol everywhere: Istio matches endpoints by port name"
            yield codes.PORT_CLASH.at(export.place, what, hint, also=(other.place,), clusters=clusters)


def _trait_differences(mine: Traits, theirs: Traits) -> Iterable[tuple[str, str]]:
    """The differences between two Services besides their ports: each one in words, for both sides."""
    for field, words in _TRAITS.items():
        here, there = getattr(mine, field), getattr(theirs, field)
        if here != there:
            yield words(here), words(there)


_TRAITS: Mapping[str, Callable[[Any], str]] = {
    "headless": lambda said: "is headless" if said else "has a cluster IP",
    "external_name": lambda said: f"has externalName {said}" if said else "has no externalName",
    "publish_not_ready": lambda said: f"has publishNotReadyAddresses {str(said).lower()}",
    "traffic_distribution": lambda said: f"has trafficDistribution {said}" if said else "has no trafficDistribution",
    "node_local": lambda said: f"has internalTrafficPolicy {'Local' if said else 'Cluster'}",
}


def namespaces_of_copies(fleet: Fleet, source: Source, exports: Sequence[Export]) -> Iterable[Problem]:
    """A cluster that gets a copy has the copy's namespace: meshc makes it, or its owner does if it is unmanaged.

    Without the namespace, applying the copy fails, and clients can't resolve the name (istio#58340).
    """
    elsewhere = {
        namespace.name: (number, set(fleet.choose(namespace.clusters)))
        for number, namespace in enumerate(fleet.mesh.spec.namespaces)
        if not namespace.managed
    }
    homes = {(export.key, name) for export in exports for name in export.homes}
    reported: set[tuple[str, str]] = set()
    for export in (export for export in exports if export.namespace in elsewhere):
        number, there = elsewhere[export.namespace]
        for name in export.clients:
            ours = name in export.occupied or (export.key, name) in homes
            if name in there or ours or (name, export.namespace) in reported:
                continue
            reported.add((name, export.namespace))
            what = f"{name}: it gets a copy of {export.namespace}/{export.name}, but not the namespace"
            hint = f"add {name} to the clusters of namespace {export.namespace}, or remove it from copyTo"
            path = ("spec", "namespaces", number, "clusters")
            yield source.problem(
                codes.NAMESPACE_ELSEWHERE, path, what, hint, key=True, also=(export.place,), clusters=(name,)
            )


def _differences(one: Iterable[ExportPort], other: Iterable[ExportPort]) -> Iterable[tuple[str, str]]:
    """The differing ports of two Services, in words. Ports are matched by name first, as Istio does, then by number."""
    left, right = list(one), list(other)
    for same in ("name", "port"):
        for mine in list(left):
            theirs = next((p for p in right if getattr(p, same) == getattr(mine, same)), None)
            if theirs:
                left.remove(mine)
                right.remove(theirs)
                if mine != theirs:
                    yield described(mine), described(theirs)
    yield from ((described(port), "no such port") for port in left)
    yield from (("no such port", described(port)) for port in right)

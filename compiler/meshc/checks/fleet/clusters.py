"""Checks clusters: names, roles, the primary of each remote, API servers, and selections of clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes
from meshc.mesh.hosts import same_server, url_fault
from meshc.mesh.model import Selector
from meshc.nearest import nearest, slip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshc.errors import Path, Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.model import Selection
    from meshc.mesh.source import Source


def names(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Cluster names are unique: istiod ignores a second secret with the same cluster ID (istio#36990)."""
    first: dict[str, int] = {}
    for member in fleet:
        if member.name in first:
            also = source.document.place(("spec", "clusters", first[member.name], "name"))
            what = f'a second cluster is named "{member.name}"'
            path: Path = ("spec", "clusters", member.index, "name")
            yield source.problem(codes.DUPLICATE_CLUSTER, path, what, "rename one of the two", also=(also,))
        first.setdefault(member.name, member.index)


def selections(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Every name in a selection is the name of a cluster, and every selection chooses at least one cluster."""
    for path, selection in _selections(fleet):
        unknown = unknown_names(fleet, path, selection)
        for steps, name in unknown:
            at: Path = (*path, *steps)
            if name in fleet.by_name:
                what = (
                    f'"{name}" is a cluster of another file, but entries in a part only apply to clusters of that part'
                )
                also = (source.document.place(fleet.by_name[name].path("name")),)
                hint = "move the entry to the file with that cluster, or to mesh.yaml"
                yield source.problem(codes.BEYOND_PART, at, what, hint, also=also)
                continue
            what = f'there is no cluster "{name}"'
            hint, fix = meant_cluster(fleet, name, fleet.by_name), slip(name, fleet.by_name)
            yield source.problem(codes.UNKNOWN_CLUSTER, at, what, hint, fix=fix)
        # checks.acknowledge reports acknowledgements that choose no cluster
        if not unknown and not fleet.choose_at(path, selection) and path[1] != "acknowledge":
            labels = isinstance(selection, Selector) and (selection.match_labels or selection.match_expressions)
            hint = f"{'check the labels' if labels else 'name a cluster'}, or remove the entry"
            within = " in this file" if path[:3] in fleet.reach else ""
            what = f"{source.document.name(path)}: the selection matches no cluster{within}"
            if path[1] == "services":
                what += ", so no cluster gets a copy"
            if path[-1] == "copyTo":
                hint = hint.replace("remove the entry", "remove copyTo: every other cluster then gets a copy")
            yield source.problem(codes.EMPTY_SELECTION, path, what, hint, key=True)


def unknown_names(fleet: Fleet, path: Path, selection: Selection) -> list[tuple[Path, str]]:
    """The unknown names in the selection at a path, each with its path inside the selection.

    A part of mesh.yaml can only select its own clusters, so every other name is unknown there.
    """
    known = fleet.reach.get(path[:3], fleet.by_name)
    return [(steps, name) for steps, name in _named(selection) if name not in known]


def meant_cluster(fleet: Fleet, name: str, known: Iterable[str]) -> str:
    """A hint with the name of the cluster that has this ID; if none has it, a hint with the nearest known name."""
    meant = next((member.name for member in fleet if member.id == name != member.name), None)
    return f'clusterID "{name}" belongs to cluster {meant}: write {meant}' if meant else did_you_mean(name, known)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint with the nearest known name, or a list of known names if none is near."""
    known = sorted(known)
    if close := nearest(name, known):
        return f'did you mean "{close}"?'
    return f"known: {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}" if known else ""


def _selections(fleet: Fleet) -> Iterator[tuple[Path, Selection]]:
    spec = fleet.mesh.spec
    for number, plane in enumerate(spec.istio.control_planes):
        yield ("spec", "istio", "controlPlanes", number, "clusters"), plane.clusters
    if charts := spec.istio.charts:
        yield ("spec", "istio", "charts", "clusters"), charts.clusters
        for number, extra in enumerate(charts.also):
            yield ("spec", "istio", "charts", "also", number, "clusters"), extra.clusters
    for number, override in enumerate(spec.overrides):
        yield ("spec", "overrides", number, "clusters"), override.clusters
    for number, namespace in enumerate(spec.namespaces):
        yield ("spec", "namespaces", number, "clusters"), namespace.clusters
    for number, service in enumerate(spec.services):
        yield ("spec", "services", number, "clusters"), service.clusters
        if "copy_to" in service.model_fields_set:
            yield ("spec", "services", number, "copyTo"), service.copy_to
    for number, entry in enumerate(spec.acknowledge):
        yield ("spec", "acknowledge", number, "clusters"), entry.clusters


def _named(selection: Selection) -> Iterator[tuple[Path, str]]:
    if isinstance(selection, Selector):
        for field, listed in (("names", selection.names or ()), ("except", selection.except_)):
            yield from (((field, number), name) for number, name in enumerate(listed))
    elif selection != "all":
        yield from (((number,), name) for number, name in enumerate(selection))


def primaries(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """The mesh has a primary, and each remote has one: a remote must name it if there are several."""
    if not fleet.primaries:
        what = "no cluster has role: primary, so no control plane serves the mesh"
        yield source.problem(
            codes.NO_PRIMARY,
            ("spec", "clusters"),
            what,
            "give the cluster that runs Istio role: primary",
            key=True,
        )
    for member in fleet.remotes if fleet.primaries else ():
        if not fleet.primary_of(member):
            yield _no_primary(fleet, source, member)


def _no_primary(fleet: Fleet, source: Source, member: Member) -> Problem:
    known, name = [primary.name for primary in fleet.primaries], member.cluster.primary
    path = member.path("primary") if name else member.path("name")
    if name is None:
        what, hint = (
            "primary is missing, and the mesh has several primaries",
            f"write primary: {' or '.join(known[:5])}",
        )
    else:
        what = f'primary "{name}" is a remote' if name in fleet.by_name else f'there is no cluster "{name}"'
        hint = meant_cluster(fleet, name, known)
    fix = slip(name, known) if name is not None and name not in fleet.by_name else None
    return source.problem(codes.WRONG_PRIMARY, path, f"{member.name}: {what}", hint, clusters=(member.name,), fix=fix)


def roles(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Settings fit the role: a primary sets how remotes reach it, and a remote sets which primary it reaches."""
    for member in fleet:
        cluster = member.cluster
        if cluster.role != "remote":
            owner = "remotes"
            route = "write under controlPlane: {addresses: ...} how remotes reach a primary"
            wrong = [
                ("primary", cluster.primary is not None, "remove it"),
                ("controlPlaneAddresses", bool(cluster.control_plane_addresses), route),
            ]
        else:
            owner = "primaries"
            route = "write a remote's own addresses under controlPlaneAddresses"
            wrong = [("controlPlane", cluster.control_plane is not None, route)]
        for field, there, hint in wrong:
            # An override for many clusters only applies to those whose role has the setting.
            if there and member.path(field)[1] == "clusters":
                what = f"{member.name}: only {owner} can have {field}"
                path = member.path(field)
                yield source.problem(codes.WRONG_ROLE, path, what, hint, key=True, clusters=(member.name,))


def api_servers(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Primaries can reach each API server: https, not localhost (istio#31081, #44826); no two clusters share one."""
    first: dict[str, Member] = {}
    for member in fleet:
        url = member.cluster.api_server
        if url is None:
            continue
        if fault := url_fault(url):
            hint = "write https://host:port, with an address that the primary can reach"
            path = member.path("apiServer")
            what = f"{member.name}: apiServer: {fault}"
            yield source.problem(codes.BAD_API_SERVER, path, what, hint, clusters=(member.name,))
            continue
        other = first.setdefault(same_server(url), member)
        if other.name != member.name:
            what = f"{member.name} and {other.name} have the same API server, so both are the same cluster"
            hint = "correct one of the two: otherwise istiod reads each pod twice"
            also = (source.document.place(other.path("apiServer")),)
            path, clusters = member.path("apiServer"), (other.name, member.name)
            yield source.problem(codes.SAME_API_SERVER, path, what, hint, also=also, clusters=clusters)

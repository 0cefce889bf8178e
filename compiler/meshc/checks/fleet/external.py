"""Checks external control planes: one per mesh; its istiod reads its configuration in one of its remotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes
from meshc.checks.fleet.clusters import meant_cluster
from meshc.mesh.hosts import ip_version
from meshc.mesh.model import Selector
from meshc.nearest import slip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshc.errors import Path, Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.model import Selection
    from meshc.mesh.source import Source


def control_planes(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """An external control plane is the only one of its mesh, and one of its remotes is its config cluster."""
    for member in fleet.external:
        path, clusters = member.path("role"), (member.name,)
        others = [one for one in fleet.primaries if one is not member]
        if others and (member is fleet.primaries[0] or others[0] not in fleet.external):
            what = (
                f"{member.name}: {others[0].name} also runs a control plane, but an external one must be the only one"
            )
            hint = "write two meshes; or write role: primary, so that istiod reads its configuration in its own cluster"
            also = (source.document.place(others[0].path("role")),)
            yield source.problem(codes.EXTERNAL_BESIDE_OTHERS, path, what, hint, also=also, clusters=clusters)
        elif not others:
            yield from _config_cluster(fleet, source, member)
    for member in fleet.primaries:
        plane = member.cluster.control_plane
        if plane and plane.config_cluster and member not in fleet.external:
            path = member.path("controlPlane", "configCluster")
            what = (
                f"{member.name}: only an external control plane can have configCluster; a primary reads its own cluster"
            )
            hint = "remove it, or write role: external-control-plane"
            yield source.problem(codes.WRONG_ROLE, path, what, hint, key=True, clusters=(member.name,))


def https(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """`https` needs an external istiod behind a gateway, and remotes that call the host name in its certificate."""
    for member in fleet.primaries:
        plane = member.cluster.control_plane
        if plane is None or plane.https is None:
            continue
        path, at = member.path("controlPlane", "https"), member.name
        host = plane.addresses.get("istiod", "")
        lacks = [
            *(["role: external-control-plane"] * (member not in fleet.external)),
            *(["exposure: gateway"] * (plane.exposure != "gateway")),
            *(["a host name under addresses.istiod"] * (not host or ip_version(host) != 0)),
            *(["an injectionURL of that gateway"] * (plane.injection_url is None)),
        ]
        if lacks:
            what = f"{at}: https needs {_and(lacks)}"
            hint = "add what is missing; or remove https, so that the gateway passes TLS through to istiod"
            yield source.problem(codes.HTTPS_INCOMPLETE, path, what, hint, key=True, clusters=(at,))
        for remote in fleet.remotes:
            own = remote.cluster.control_plane_addresses.get("istiod")
            if not lacks and own and own != host and fleet.primary_of(remote) is member:
                what = f"{remote.name}: sidecars call {host}, the host name in the gateway's certificate, and not {own}"
                hint = "remove it, and let the cluster's DNS resolve the host name to that address"
                where = remote.path("controlPlaneAddresses", "istiod")
                yield source.problem(codes.HTTPS_INCOMPLETE, where, what, hint, clusters=(remote.name,))


def _and(parts: list[str]) -> str:
    return ", ".join(parts[:-1]) + " and " * bool(parts[1:]) + parts[-1]


def _config_cluster(fleet: Fleet, source: Source, member: Member) -> Iterator[Problem]:
    plane = member.cluster.control_plane
    said = plane.config_cluster if plane else None
    remotes = [remote.name for remote in fleet.remotes if fleet.primary_of(remote) is member]
    if fleet.config_cluster_of(member) is not None:
        return
    if said is not None:
        path: Path = member.path("controlPlane", "configCluster")
        what = f'{member.name}: "{said}" isn\'t one of its remotes, so no cluster of the mesh has its configuration'
        hint = meant_cluster(fleet, said, remotes) or "name one of its remotes"
        fix = slip(said, remotes)
        yield source.problem(codes.WRONG_CONFIG_CLUSTER, path, what, hint, clusters=(member.name,), fix=fix)
        return
    path = member.path("controlPlane") if plane else member.path("name")
    if remotes:
        what = f"{member.name}: configCluster is missing, and it has several remotes"
        hint = (
            f"write controlPlane: {{configCluster: {' or '.join(remotes[:5])}}}, and don't change it later without need"
        )
    else:
        what = f"{member.name}: it has no remotes, so istiod has no cluster to serve or to read its configuration from"
        hint = f"add a remote with primary: {member.name}, or write role: primary"
    yield source.problem(codes.NO_CONFIG_CLUSTER, path, what, hint, clusters=(member.name,))


def workloads(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """No workloads of the mesh run beside an external istiod: its cluster has no network, and no selection names it."""
    outside = {member.name for member in fleet.external}
    for member in fleet.external:
        if member.cluster.network and member.path("network")[1] == "clusters":
            what = f"{member.name}: its pods aren't in the mesh, so the cluster can't be in a network of the mesh"
            path = member.path("network")
            yield source.problem(codes.NOTHING_RUNS_THERE, path, what, "remove network", clusters=(member.name,))
        if member.cluster.cluster_id:
            what = f"{member.name}: an external istiod uses the ID of its config cluster"
            path, hint = member.path("clusterID"), "remove clusterID"
            yield source.problem(codes.NOTHING_RUNS_THERE, path, what, hint, key=True, clusters=(member.name,))
    for path, selection in _selections(fleet) if outside else ():
        for steps, name in _named(selection):
            if name in outside:
                what = f"{name} runs the control plane of other clusters, and no workloads of the mesh"
                hint = f"remove {name}; the selection all doesn't include it"
                yield source.problem(codes.NOTHING_RUNS_THERE, (*path, *steps), what, hint, clusters=(name,))


def _selections(fleet: Fleet) -> Iterator[tuple[Path, Selection]]:
    """The selections that say where workloads run, or which clusters call them."""
    for number, namespace in enumerate(fleet.mesh.spec.namespaces):
        yield ("spec", "namespaces", number, "clusters"), namespace.clusters
    for number, service in enumerate(fleet.mesh.spec.services):
        yield ("spec", "services", number, "clusters"), service.clusters
        yield ("spec", "services", number, "copyTo"), service.copy_to


def _named(selection: Selection) -> Iterator[tuple[Path, str]]:
    if isinstance(selection, Selector):
        yield from ((("names", number), name) for number, name in enumerate(selection.names or ()))
    elif selection != "all":
        yield from (((number,), name) for number, name in enumerate(selection))

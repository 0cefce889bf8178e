"""Checks the addresses at which remotes reach their primary's control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from meshc import codes
from meshc.errors import Rewrite
from meshc.kube import Version
from meshc.mesh.hosts import host_fault, ip_version, is_in_range, mended_host
from meshc.mesh.revisions import planes, way_to_istiod

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshc.errors import Path, Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.source import Source

_IPV6_FIRST = Version(1, 30)  # istio#58828
_CLASSIC_IPV6 = ("writes it without brackets", "")
_ISTIOD_IPV6 = ("treats it as a host name", ", or upgrade to Istio 1.30")


class _Said(NamedTuple):
    """An address of one component of the control plane, with its cluster and its path in mesh.yaml."""

    member: Member
    part: str
    address: str
    path: Path


def addresses(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Each remote has the addresses of its primary that its Istio generation needs, and each address can be reached."""
    yield from _missing(fleet, source)
    reported: set[Path] = set()
    for member in fleet.primaries:
        control_plane = member.cluster.control_plane
        for part, address in (control_plane.addresses if control_plane else {}).items():
            path = member.path("controlPlane", "addresses", part)
            reported.add(path)
            yield from _address(fleet, source, _Said(member, part, address, path))
    for member in fleet.remotes:
        for name, (address, path) in fleet.addresses_of(member).items():
            said = _Said(member, name, address, path)
            part = "istiod" if name.startswith("istiod-") else name
            if path not in reported and path[1] != "networks":  # checks.fleet.networks checks gateways
                reported.add(path)
                yield from _address(fleet, source, said)
            if part in fleet.generation.parts and not host_fault(address):
                yield from _ipv6(fleet, source, said)
                if not fleet.generation.has_headless_services:
                    yield from _family(source, said)


def _family(source: Source, said: _Said) -> Iterable[Problem]:
    """The cluster's Services have the address's IP family; a Service can't have endpoints of the other family."""
    member, part, address, path = said
    there = {ip_version(cidr.partition("/")[0]) for cidr in member.cluster.service_cidrs} - {0}
    version = ip_version(address)
    if version and there and version not in there:
        what = f'{member.name}: {part}: "{address}" is IPv{version}, but serviceCIDRs has only IPv{10 - version}'
        hint = "use an address of the same IP family as serviceCIDRs, or a host name"
        yield source.problem(codes.BAD_ADDRESS, path, what, hint, clusters=(member.name,))


def _missing(fleet: Fleet, source: Source) -> Iterable[Problem]:
    needed = fleet.generation.parts[0]
    yield from _further_missing(fleet, source)
    for primary in fleet.primaries:
        lost = [
            member.name
            for member in fleet.remotes
            if fleet.primary_of(member) is primary and needed not in fleet.addresses_of(member)
        ]
        if lost:
            path = primary.path("controlPlane") if primary.cluster.control_plane else primary.path("name")
            who = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
            what = f"{primary.name}: the address of {needed} is missing, so {who} can't reach it"
            hint = f"add controlPlane: {{addresses: {{{needed}: ...}}}} to {primary.name}"
            if fleet.generation.has_gateways and fleet.gateway_of(primary):
                hint += ", or exposure: gateway, if remotes use the gateway of its network"
            elif fleet.generation.has_gateways and fleet.several_networks:
                hint += f", or add a gateway to network {fleet.network_of(primary)}"
            yield source.problem(codes.ADDRESS_MISSING, path, what, hint, clusters=tuple(lost))


def _further_missing(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Each further control plane has its own address, or a gateway with a route to it."""
    lost: dict[tuple[str, str], list[str]] = {}
    for member in fleet.remotes:
        primary = fleet.primary_of(member)
        if primary is None or not fleet.generation.has_revisions or "istiod" not in fleet.addresses_of(member):
            continue
        for plane in planes(fleet, member):
            if way_to_istiod(fleet, plane) is None:
                lost.setdefault((primary.name, fleet.revision_of(plane)), []).append(member.name)
    for (name, revision), remotes in lost.items():
        primary = fleet.by_name[name]
        path = primary.path("controlPlane") if primary.cluster.control_plane else primary.path("name")
        who = ", ".join(remotes[:5]) + (f" and {len(remotes) - 5} more" if len(remotes) > 5 else "")
        what = f'{name}: the address of its control plane of revision "{revision}" is missing, so {who} can\'t reach it'
        hint = f"add istiod-{revision} to controlPlane.addresses of {name}"
        if not (primary.cluster.control_plane and primary.cluster.control_plane.injection_url):
            hint += ", or use exposure: gateway, which routes to each control plane by host name"
        yield source.problem(codes.ADDRESS_MISSING, path, what, hint, clusters=tuple(remotes))


def _address(fleet: Fleet, source: Source, said: _Said) -> Iterable[Problem]:
    member, part, address, path = said
    clusters = (member.name,)
    if (part.partition("-")[0] if fleet.generation.has_revisions else part) not in fleet.generation.parts:
        mesh, parts = fleet.generation.shown, ", ".join(fleet.generation.parts)
        what = f"{member.name}: {part} isn't an address in {mesh}, which only has {parts}"
        hint = f"remove {part}"
        yield source.problem(codes.WRONG_GENERATION, path, what, hint, key=True, clusters=clusters)
    elif fault := host_fault(address, fleet.mesh.spec.istio.cluster_domain):
        hint = "write an IP address or a host name that remotes can reach"
        better = mended_host(address, fleet.mesh.spec.istio.cluster_domain)
        fix = Rewrite(address, better) if better else None
        what = f"{member.name}: {part}: {fault}"
        yield source.problem(codes.BAD_ADDRESS, path, what, hint, clusters=clusters, fix=fix)


def _ipv6(fleet: Fleet, source: Source, said: _Said) -> Iterable[Problem]:
    member, part, address, path = said
    version = fleet.version_of(member)
    if ip_version(address) != 6 or version >= _IPV6_FIRST:
        return
    fault, newer = _CLASSIC_IPV6 if fleet.classic else _ISTIOD_IPV6
    what = f'{member.name}: {part}: "{address}" is IPv6, but Istio {version} {fault}'
    hint = f"use an IPv4 address or a host name{newer}"
    yield source.problem(codes.IPV6_TOO_EARLY, path, what, hint, clusters=(member.name,))


def ranges_of_addresses(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """An address for remotes is neither in the primary's Service ranges nor in the remote's own ranges.

    A Service's cluster IP works only in its own cluster, and a call to an address of the remote's own range never
    leaves the remote. A pod's address is allowed with `exposure: pod-ip` only (istio#4822).
    """
    reported: set[tuple[Path, tuple[str, ...]]] = set()
    for member in fleet.remotes:
        primary = fleet.primary_of(member)
        for part, (address, path) in fleet.addresses_of(member).items():
            if primary is None or not ip_version(address):
                continue
            problem = _lies_in_a_range(source, primary, _Said(member, part, address, path))
            if problem and (path, problem.clusters) not in reported:
                reported.add((path, problem.clusters))
                yield problem


def _lies_in_a_range(source: Source, primary: Member, said: _Said) -> Problem | None:
    member, part, address, path = said
    control_plane = primary.cluster.control_plane
    for owner, field, what in (
        (primary, "serviceCIDRs", f"is a Service's address in {primary.name}, and only works there"),
        (primary, "podCIDRs", f"is a pod's address in {primary.name}, and changes when the pod restarts"),
        (member, "podCIDRs", f"is an address in the pod range of {member.name} itself"),
        (member, "serviceCIDRs", f"is an address in the Service range of {member.name} itself"),
    ):
        if owner is primary and path[1] == "networks":  # checks.fleet.networks checks gateways
            continue
        ranges = enumerate(getattr(owner.cluster, _FIELDS[field]))
        number = next((number for number, cidr in ranges if is_in_range(address, cidr)), None)
        if number is None:
            continue
        of_pod = owner is primary and field == "podCIDRs"
        if of_pod and (control_plane is None or control_plane.exposure == "pod-ip"):
            return None
        code = codes.POD_ADDRESS if of_pod else codes.ADDRESS_STAYS_INSIDE
        hint = "write the load balancer's address, or exposure: pod-ip" if of_pod else _LEADS_OUT
        also = (source.document.place(owner.path(field, number)),)
        # an address that the primary gives to all its remotes is reported once
        about = primary if owner is primary and "controlPlaneAddresses" not in path else member
        text = f"{about.name}: {part}: {address} {what}"
        return source.problem(code, path, text, hint, also=also, clusters=(about.name,))
    return None


_FIELDS = {"podCIDRs": "pod_cidrs", "serviceCIDRs": "service_cidrs"}
_LEADS_OUT = "write the address at which clients outside the cluster reach the control plane"


def exposure(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Warns of pod addresses, which change when a pod restarts (istio#4822). Host names don't have this problem."""
    for member in fleet.primaries:
        control_plane = member.cluster.control_plane
        addresses = control_plane.addresses.values() if control_plane else ()
        named = bool(addresses) and not any(map(ip_version, addresses))
        if control_plane and control_plane.exposure == "pod-ip" and not named:
            what = f"{member.name}: remotes reach it at pod addresses, which change when a pod restarts"
            hint = "use a load balancer; or acknowledge it, and compile again after each restart"
            path = member.path("controlPlane", "exposure")
            yield source.problem(codes.STALE_ADDRESS, path, what, hint, clusters=(member.name,))

"""Checks networks: each is declared, and if there are several, each has a gateway that the others can reach."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from meshc import codes
from meshc.checks.fleet.clusters import did_you_mean, meant_cluster
from meshc.errors import Rewrite
from meshc.mesh.east_west import LABELS, exposure_kind, goes_to, is_east_west
from meshc.mesh.fleet import gateways_of, host_of
from meshc.mesh.hosts import host_fault, ip_version, is_in_range, mended_host
from meshc.nearest import slip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from meshc.errors import Path, Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.model import NetworkGateway
    from meshc.mesh.source import Source

_LAYER_7 = re.compile(r".+\.[a-z]{2}(-[a-z]+)+-\d\.elb\.amazonaws\.com(\.cn)?")
"""Host names of AWS application and classic load balancers. Network load balancers have elb before the region."""


def names(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Each network is declared once; if some clusters name a network, every cluster is in one."""
    declared = [network.name for network in fleet.mesh.spec.networks]
    for number, other in enumerate(declared):
        if (first := declared.index(other)) < number:
            path: Path = ("spec", "networks", number, "name")
            also = (source.document.place(("spec", "networks", first, "name")),)
            what = f'network "{other}" is declared twice'
            yield source.problem(codes.BAD_VALUE, path, what, "remove one of the two", also=also)
    inside = [member for member in fleet if member not in fleet.external]
    naming = [member for member in inside if member.cluster.network]
    named = {member.cluster.network for member in naming}
    for member in inside:
        name = member.cluster.network
        if name and name not in declared and (declared or len(named) > 1):
            what = f'{member.name}: network "{name}" isn\'t declared'
            hint = did_you_mean(name, declared) or "declare it under networks, with its gateway"
            fix = slip(name, declared)
            at = member.path("network")
            yield source.problem(codes.UNKNOWN_NETWORK, at, what, hint, clusters=(member.name,), fix=fix)
        elif name is None and naming and not declared:
            one = naming[0]
            what = f'{member.name}: network is missing, but {one.name} is in "{one.cluster.network}"'
            hint = f"declare the network of all clusters: networks: [{{name: {one.cluster.network}}}]"
            also = (source.document.place(one.path("network")),)
            path = member.path("name")
            yield source.problem(codes.UNKNOWN_NETWORK, path, what, hint, also=also, clusters=(member.name,))
        elif name is None and len(set(declared)) > 1:
            what = f"{member.name}: network is missing, and the mesh has several networks"
            hint = f"write network: {' or '.join(declared[:5])}"
            path = member.path("name")
            yield source.problem(codes.UNKNOWN_NETWORK, path, what, hint, clusters=(member.name,))


def several(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Several networks need mutual TLS: their gateways route by the server name in TLS (SNI)."""
    if not fleet.several_networks:
        return
    at: Path = ("spec", "networks")
    if fleet.mesh.spec.security.mutual_tls == "disabled":
        path = ("spec", "security", "mutualTLS")
        what = "mutual TLS is disabled, but gateways between networks only forward mutual TLS"
        hint = "write strict or permissive"
        also = (source.document.key_place(at),)
        yield source.problem(codes.PLAIN_BETWEEN_NETWORKS, path, what, hint, also=also)
    for primary in fleet.primaries:
        yield from _pods_elsewhere(fleet, source, primary)


def _pods_elsewhere(fleet: Fleet, source: Source, primary: Member) -> Iterator[Problem]:
    """Reports `exposure: pod-ip` if remotes are in other networks, as they can't reach the primary's pods."""
    if primary.cluster.control_plane is None or primary.cluster.control_plane.exposure != "pod-ip":
        return
    own, path = primary.path("controlPlane", "addresses"), primary.path("controlPlane", "exposure")
    for member in fleet.remotes:
        away = fleet.primary_of(member) is primary and fleet.network_of(member) != fleet.network_of(primary)
        away = away and primary not in fleet.external  # it has no network, so its distance is unknown
        if away and any(said[: len(own)] == own for _, said in fleet.addresses_of(member).values()):
            network = fleet.network_of(member)
            what = f'{member.name}: pods of {primary.name} can\'t be reached from network "{network}"'
            hint = f"remove exposure, so that remotes use the gateway of {primary.name}'s network"
            yield source.problem(codes.ADDRESS_STAYS_INSIDE, path, what, hint, clusters=(member.name,))


def gateways(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Each of several networks has its own gateway, which the others can reach and which doesn't terminate TLS."""
    first: dict[tuple[str, int], tuple[str, Path]] = {}
    for number, network in enumerate(fleet.mesh.spec.networks):
        members = [member for member in fleet if fleet.network_of(member) == network.name]
        if network.name in (earlier.name for earlier in fleet.mesh.spec.networks[:number]):
            continue
        every = gateways_of(network, number)
        if (
            not every
            and fleet.several_networks
            and members
            and fleet.generation.has_gateways
            and not fleet.only_ambient
        ):
            yield _missing(source, network.name, members, ("spec", "networks", number, "name"))
        for gateway, path in every:
            one = _Gateway(network.name, gateway, path)
            yield from _gateway(fleet, source, one, members, first)
            yield from _home(fleet, source, one)


class _Gateway(NamedTuple):
    """A gateway of a network, and the path of its address in mesh.yaml."""

    network: str
    gateway: NetworkGateway
    path: Path


def _gateway(
    fleet: Fleet, source: Source, one: _Gateway, members: list[Member], first: dict[tuple[str, int], tuple[str, Path]]
) -> Iterator[Problem]:
    """The problems of one gateway; `first` has the gateways before it, by host and port, with their networks."""
    network, gateway, path = one
    host = host_of(gateway)
    if fault := host_fault(host, fleet.mesh.spec.istio.cluster_domain):
        hint = "write the IP address of the gateway's load balancer, or its host name under hostname"
        better = mended_host(host, fleet.mesh.spec.istio.cluster_domain)
        fix = Rewrite(host, better) if better else None
        yield source.problem(codes.BAD_ADDRESS, path, f"network {network}: {fault}", hint, fix=fix)
        return
    if path[-1] == "address" and not ip_version(host):
        hint = f"write hostname: {host}"
        what = f'network {network}: "{host}" is a host name, but address is for IP addresses'
        yield source.problem(codes.BAD_ADDRESS, path, what, hint)
    other, also = first.setdefault((host, gateway.port), (network, path))
    place = (source.document.place(also),)
    if other != network:
        what = f'networks "{other}" and "{network}" have the same gateway, {host}'
        hint = "write the gateway of each network: otherwise traffic for one network arrives in the other"
        yield source.problem(codes.ONE_GATEWAY_FOR_TWO, path, what, hint, also=place)
    elif also != path:
        what = f"network {network}: {host}:{gateway.port} is listed twice"
        yield source.problem(codes.BAD_VALUE, path, what, "remove one of the two", also=place)
    yield from _reachable(source, network, host, members, path)


def _home(fleet: Fleet, source: Source, one: _Gateway) -> Iterator[Problem]:
    """A gateway's cluster is in the gateway's network, and its selector matches the pods of the chart there."""
    network, gateway, path = one
    name, at = gateway.cluster, path[:-1]
    home = fleet.by_name.get(name) if name else None
    if name and home is None:
        what, hint = f'network {network}: there is no cluster "{name}"', meant_cluster(fleet, name, fleet.by_name)
        fix = slip(name, fleet.by_name)
        yield source.problem(codes.UNKNOWN_CLUSTER, (*at, "cluster"), what, hint, fix=fix)
    elif home and fleet.network_of(home) != network:
        where = f'network "{fleet.network_of(home)}"' if fleet.network_of(home) else "none of the mesh's networks"
        what = f"network {network}: its gateway is in cluster {name}, but that cluster is in {where}"
        hint = "name a cluster of this network, or write the gateway under the other network"
        yield source.problem(codes.GATEWAY_ELSEWHERE, (*at, "cluster"), what, hint, clusters=(home.name,))
    if gateway.selector and fleet.generation.has_gateways:
        here = [member for member in fleet if fleet.gateway_of(member) == (gateway, path)]
        yield from _selects(fleet, source, gateway.selector, (*at, "selector"), here)


def selectors(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """A gatewaySelector is set only with `exposure: gateway`, and it matches the gateway that meshc renders."""
    for member in fleet:
        plane = member.cluster.control_plane
        if plane is None or plane.gateway_selector is None:
            continue
        path = member.path("controlPlane", "gatewaySelector")
        if member.cluster.role == "remote":
            continue  # checks.fleet.clusters reports controlPlane as a whole
        if exposure_kind(fleet, member) != "gateway":
            what = f"{member.name}: its control plane isn't exposed through a gateway, so gatewaySelector has no effect"
            hint = "write exposure: gateway, or remove gatewaySelector"
            yield source.problem(codes.GATEWAY_UNUSED, path, what, hint, key=True, clusters=(member.name,))
        elif member not in fleet.external and fleet.generation.has_gateways:
            yield from _selects(fleet, source, plane.gateway_selector, path, [member])


def _selects(
    fleet: Fleet, source: Source, selector: Mapping[str, str], path: Path, members: list[Member]
) -> Iterator[Problem]:
    """A selector matches the labels that chart gateway gives its pods, if meshc renders the chart."""
    charts = fleet.mesh.spec.istio.charts
    for extra in charts.also if charts else ():
        own = extra.values.get("labels")
        labels = {**LABELS, **(own if isinstance(own, dict) else {})}
        there = [one for one in members if is_east_west(extra) and goes_to(fleet, extra, one)]
        if there and not selector.items() <= labels.items():
            shown = ", ".join(f"{key}={value}" for key, value in selector.items())
            what = f"{there[0].name}: the gateway that the chart makes there doesn't have labels {shown}"
            hint = "remove the selector, or set labels in the values of the chart"
            yield source.problem(codes.GATEWAY_UNUSED, path, what, hint, key=True, clusters=(there[0].name,))
            return


def _missing(source: Source, network: str, members: list[Member], path: Path) -> Problem:
    names = [member.name for member in members]
    who = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    what = f'network "{network}" has no gateway, so other networks can\'t reach {who}'
    hint = "add gateway: {address: ...}, or hostname where the provider gives a name"
    return source.problem(codes.GATEWAY_MISSING, path, what, hint, clusters=tuple(names))


def _reachable(source: Source, network: str, host: str, members: list[Member], path: Path) -> Iterator[Problem]:
    if _LAYER_7.fullmatch(host):
        what = f'network {network}: "{host}" is an application or classic load balancer of AWS'
        hint = "use a network load balancer: terminating or changing TLS breaks the traffic of sidecars"
        yield source.problem(codes.GATEWAY_OPENS_TLS, path, what, hint)
    for member in members if ip_version(host) else ():
        for field, cidrs in (("podCIDRs", member.cluster.pod_cidrs), ("serviceCIDRs", member.cluster.service_cidrs)):
            for number, text in enumerate(cidrs):
                if is_in_range(host, text):
                    of = "a pod's" if field == "podCIDRs" else "a Service's"
                    what = f"network {network}: {host} is {of} in {member.name}, which other networks can't reach"
                    hint = "write the address of the gateway's load balancer"
                    also = (source.document.place(member.path(field, number)),)
                    yield source.problem(codes.ADDRESS_STAYS_INSIDE, path, what, hint, also=also)
                    return

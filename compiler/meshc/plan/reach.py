"""Decides how clusters reach one another: networks, gateways, exposed control planes, attachments of remotes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from meshc.mesh import east_west
from meshc.mesh.fleet import host_of
from meshc.mesh.hosts import ip_version, url_fault
from meshc.mesh.revisions import injection_url, way_to_istiod
from meshc.plan.ways import AmbientPlan, Attachment, Door, Exposure, GatewayPlan, GatewayService, HttpsPlan, NetworkPlan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshc.mesh.fleet import Fleet, Member

_WEBHOOK, _BETWEEN = 15017, 15443
_PARTS = ("pilot", "policy", "telemetry", "zipkin")


def networks(fleet: Fleet) -> tuple[NetworkPlan, ...]:
    """The networks that clusters are in, declared ones first."""
    used = {name: member for member in reversed(fleet.members) if (name := fleet.network_of(member))}
    declared = [network.name for network in fleet.mesh.spec.networks]
    names = dict.fromkeys([*(name for name in declared if name in used), *sorted(used.keys() - {*declared})])
    return tuple(_network(fleet, name, fleet.label_of(used[name]) or name) for name in names)


def _network(fleet: Fleet, name: str, label: str) -> NetworkPlan:
    every = [(host_of(one), east_west.HBONE if fleet.only_ambient else one.port) for one, _ in fleet.gateways_in(name)]
    host, port = every[0] if every else (None, east_west.HBONE if fleet.only_ambient else _BETWEEN)
    return NetworkPlan(name, label, host, port, tuple(f"{other}:{number}" for other, number in every[1:]))


def control_plane_tls(fleet: Fleet) -> bool:
    """True if sidecars use mutual TLS to their control plane: always with istiod, by default with classic Istio."""
    return fleet.generation.always_uses_tls or fleet.mesh.spec.security.control_plane_tls is not False


def remotes(fleet: Fleet, primary: Member) -> tuple[str, ...]:
    """The clusters that a primary controls."""
    return tuple(remote.name for remote in fleet.remotes if fleet.primary_of(remote) is primary)


def watched(fleet: Fleet, primary: Member) -> tuple[str, ...]:
    """The clusters that a primary reads, so that its sidecars know the endpoints there: all other clusters."""
    return tuple(member.name for member in fleet if member is not primary)


def attachment(fleet: Fleet, member: Member) -> Attachment:
    """How a remote reaches its primary."""
    primary = fleet.primary_of(member)
    assert primary is not None, "a check refuses remotes without a primary"  # noqa: S101
    control_plane = primary.cluster.control_plane
    addresses = _addresses(fleet, member)
    wanted = control_plane.pilot_service if control_plane else None
    if wanted is None:
        wanted = control_plane_tls(fleet) and bool(ip_version(addresses.get("pilot", "")))
    return Attachment(
        primary.name,
        addresses,
        injection_url(fleet, member),
        pilot_service=fleet.generation.has_headless_services and wanted,
        family="" if fleet.generation.has_headless_services else _family(member, addresses.get("istiod", "")),
        https=control_plane is not None and control_plane.https is not None,
    )


def _addresses(fleet: Fleet, member: Member) -> dict[str, str]:
    if not fleet.generation.has_gateways:
        return {part: address for part, (address, _) in fleet.addresses_of(member).items()}
    way = way_to_istiod(fleet, member)
    return {"istiod": way[0]} if way else {}


def _family(member: Member, address: str) -> Literal["", "IPv4", "IPv6"]:
    """The IP family that the Service for an address must set, so that its endpoints work; empty for the default.

    By default a Service has the family of the cluster's first range. Without ranges in mesh.yaml, IPv4 is assumed.
    """
    ranges = member.cluster.service_cidrs or member.cluster.pod_cidrs
    default = ip_version(ranges[0].partition("/")[0]) if ranges else 4
    version = ip_version(address)
    if version == default or not version:
        return ""
    return "IPv6" if version == 6 else "IPv4"


def exposure(fleet: Fleet, primary: Member) -> Exposure | None:
    """The Services or routes that meshc generates so that remotes reach a primary; None if the user provides them."""
    control_plane = primary.cluster.control_plane
    said = control_plane.exposure if control_plane else None
    whole = fleet.by_name[primary.name]
    kind = east_west.exposure_kind(fleet, whole)
    if kind is None:
        return None
    known = {str(part): address for part, address in control_plane.addresses.items()} if control_plane else {}
    if not fleet.generation.has_revisions:
        addresses = {part: known.get(part, "") for part in _PARTS if part == "pilot" or part in known}
    else:
        revision = fleet.revision_of(primary)
        if revision != fleet.revision_of(whole):
            addresses = {"istiod": known.get(f"istiod-{revision}", "")}
        else:
            gateway = _gateway_host(fleet, primary) if kind == "gateway" else None
            addresses = {"istiod": (said and known.get("istiod")) or gateway or ""}
    url = injection_url(fleet, primary)
    port = _WEBHOOK if url is None or url_fault(url) else urlsplit(url).port or 443
    if kind != "gateway":
        return Exposure(kind, addresses, port, {}, None)
    return Exposure(kind, addresses, port, _exposing(fleet, whole), _https(whole, addresses))


def _https(primary: Member, addresses: Mapping[str, str]) -> HttpsPlan | None:
    said = primary.cluster.control_plane.https if primary.cluster.control_plane else None
    hosts = dict.fromkeys([addresses.get("istiod", ""), injection_host(primary) or ""])
    return HttpsPlan(tuple(filter(None, hosts)), said.secret, said.root_secret) if said else None


def _exposing(fleet: Fleet, primary: Member) -> Mapping[str, str]:
    said = primary.cluster.control_plane.gateway_selector if primary.cluster.control_plane else None
    if said or not fleet.generation.has_gateways or primary in fleet.external:
        return said or east_west.INGRESS
    found = fleet.gateway_of(primary)
    return (found[0].selector if found else None) or east_west.SELECTOR


def injection_host(member: Member) -> str | None:
    """The host in a control plane's injectionURL, at which the API servers of its remotes call the injector."""
    url = member.cluster.control_plane.injection_url if member.cluster.control_plane else None
    return None if url is None or url_fault(url) else urlsplit(url).hostname


def gateway(fleet: Fleet, member: Member) -> GatewayPlan | None:
    """The east-west gateway that a cluster needs for traffic between networks or to istiod; None if it needs none."""
    leads_to_istiod = east_west.leads_to_istiod(fleet, member)
    between = fleet.several_networks and not fleet.only_ambient and member not in fleet.external
    if not fleet.generation.has_gateways or not (leads_to_istiod or between):
        return None
    rendered = east_west.has_chart(fleet, member)
    return GatewayPlan(
        fleet.network_of(member) if between else None,
        _gateway_host(fleet, member),
        _gateway_port(fleet, member),
        istiod=leads_to_istiod,
        service=_gateway_service(fleet, member) if rendered else _others_service(fleet, member, between),
        rendered=rendered,
        doors=tuple(dict.fromkeys(_doors(fleet, member))) if between else (),
    )


def _doors(fleet: Fleet, member: Member) -> Iterator[Door]:
    for one, _ in fleet.gateways_in(fleet.network_of(member)):
        if one.cluster in (None, member.name):
            yield Door(one.port, tuple(sorted((one.selector or east_west.SELECTOR).items())))


def ambient(fleet: Fleet, member: Member) -> AmbientPlan | None:
    """The settings of ambient in a cluster; None if it needs none.

    A cluster needs them if it has an ambient namespace. With several networks, one such namespace is enough for all
    clusters.
    """
    here = any(fleet.is_ambient_in(number, member) for number in fleet.ambient_namespaces)
    anywhere = fleet.ambient_namespaces and fleet.several_networks and member not in fleet.external
    if not fleet.generation.has_gateways or not (here or anywhere):
        return None
    if not fleet.several_networks:
        return AmbientPlan(None, None)
    network, host = fleet.network_of(member), _gateway_host(fleet, member)
    first = next(one for one in fleet if fleet.network_of(one) == network)
    asks = fleet.only_ambient and first is member and host is not None and ip_version(host)
    return AmbientPlan(network, host if asks else None)


def _gateway_service(fleet: Fleet, member: Member) -> GatewayService:
    """The Service of the chart: for the network's address, or for istiod's if istiod has an address of its own."""
    host = _gateway_host(fleet, member) or ""
    exposed = exposure(fleet, member) if east_west.leads_to_istiod(fleet, member) else None
    if east_west.is_home(fleet, member):
        return GatewayService(host, of_network=True)
    if exposed and (not fleet.several_networks or exposed.addresses["istiod"] != host):
        return GatewayService(exposed.addresses["istiod"], of_network=False)
    return GatewayService("", of_network=fleet.several_networks)


def _others_service(fleet: Fleet, member: Member, between: bool) -> GatewayService:
    """The Service of a gateway that others install with the output of `meshc values`.

    It requests the network's address only if no other gateway can have that address.
    """
    network = fleet.network_of(member)
    found = fleet.gateway_of(member)
    alone = sum(fleet.network_of(one) == network for one in fleet if one not in fleet.external) == 1
    alone = found is not None and (alone if found[0].cluster is None else found[0].cluster == member.name)
    return GatewayService((_gateway_host(fleet, member) or "") if between and alone else "", of_network=between)


def _gateway_host(fleet: Fleet, member: Member) -> str | None:
    found = fleet.gateway_of(member)
    return host_of(found[0]) if found else None


def _gateway_port(fleet: Fleet, member: Member) -> int:
    if fleet.only_ambient:
        return east_west.HBONE
    found = fleet.gateway_of(member)
    return found[0].port if found else _BETWEEN

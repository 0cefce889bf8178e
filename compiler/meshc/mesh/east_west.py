"""Finds the clusters that run an east-west gateway, and its address.

A network needs one in any of its clusters. The gateway before istiod runs in the primary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from meshc.mesh.fleet import host_of
from meshc.mesh.selecting import selects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.model import ExtraChart

HBONE = 15008
"""The port of ambient gateways, which is fixed."""

SELECTOR: Mapping[str, str] = {"istio": "eastwestgateway"}
INGRESS: Mapping[str, str] = {"istio": "ingressgateway"}
"""The labels of gateway pods that are installed as in Istio's documents."""

RELEASE = "istio-eastwestgateway"
"""The release name of chart gateway with which pods get the label that Gateways between networks select."""
LABELS: Mapping[str, str] = {**SELECTOR, "app": RELEASE}
"""The labels of its pods."""


def exposure_kind(fleet: Fleet, primary: Member) -> Literal["pod-ip", "load-balancer", "gateway"] | None:
    """How a primary is exposed: the setting in mesh.yaml, else `gateway` if a remote uses the gateway."""
    said = primary.cluster.control_plane.exposure if primary.cluster.control_plane else None
    return said or ("gateway" if _entered_by_gateway(fleet, primary) else None)


def leads_to_istiod(fleet: Fleet, member: Member) -> bool:
    """True if the gateway of a cluster forwards to its istiod."""
    return (
        fleet.generation.has_gateways and member.cluster.role != "remote" and exposure_kind(fleet, member) == "gateway"
    )


def is_east_west(extra: ExtraChart) -> bool:
    """True if a chart of mesh.yaml is the east-west gateway."""
    return extra.chart == "gateway" and extra.release in (None, RELEASE)


def goes_to(fleet: Fleet, extra: ExtraChart, member: Member) -> bool:
    """True if a cluster is rendered with one of the further charts.

    A gateway without a release name goes to the clusters that need one; a chart with a name goes where mesh.yaml says.
    """
    if not fleet.generation.has_gateways or not selects(extra.clusters, member.cluster):
        return False
    if extra.chart != "gateway" or extra.release is not None:
        return True
    if member in fleet.external:  # its istiod is behind an ingress gateway of the same cluster
        return False
    return leads_to_istiod(fleet, member) or is_home(fleet, member)


def has_chart(fleet: Fleet, member: Member) -> bool:
    """True if a cluster gets its east-west gateway from the chart."""
    return any(is_east_west(extra) and goes_to(fleet, extra, member) for extra in _entries(fleet))


def is_home(fleet: Fleet, member: Member) -> bool:
    """True if the gateway in a cluster has an address of its network."""
    return member.name in fleet.once(_homes)


def _homes(fleet: Fleet) -> frozenset[str]:
    """The clusters whose gateways have the addresses of networks, among those that may have the chart.

    These are the clusters that mesh.yaml names; else one cluster for each network: first a primary that remotes enter
    there, then any primary, then the first in the file.
    """
    if not fleet.several_networks or fleet.only_ambient:
        return frozenset()
    entries = [extra for extra in _entries(fleet) if is_east_west(extra)]
    able: dict[str | None, list[Member]] = {}
    for member in fleet:
        if any(selects(one.clusters, member.cluster) for one in entries):
            able.setdefault(fleet.network_of(member), []).append(member)
    found: set[str] = set()
    for network, members in able.items():
        said = {gateway.cluster for gateway, _ in fleet.gateways_in(network)} - {None}
        chosen = [one for one in members if one.name in said] if said else [min(members, key=lambda m: _rank(fleet, m))]
        found.update(one.name for one in chosen)
    return frozenset(found)


def _rank(fleet: Fleet, member: Member) -> tuple[bool, bool]:
    return not entered_at_network(fleet, member), member.cluster.role != "primary"


def entered_at_network(fleet: Fleet, member: Member) -> bool:
    """True if remotes reach the istiod of a primary at the address of its network's gateway."""
    control_plane = member.cluster.control_plane
    own = control_plane.addresses.get("istiod") if control_plane and control_plane.exposure == "gateway" else None
    return leads_to_istiod(fleet, member) and own in (None, _host(fleet, member))


def _entries(fleet: Fleet) -> Iterable[ExtraChart]:
    charts = fleet.mesh.spec.istio.charts
    return charts.also if charts else ()


def _entered_by_gateway(fleet: Fleet, primary: Member) -> bool:
    """True if some remote uses the gateway of the primary's network as the address of istiod."""
    host = _host(fleet, primary)
    return host is not None and any(
        fleet.addresses_of(member).get("istiod", ("",))[0] == host
        for member in fleet.remotes
        if fleet.primary_of(member) is primary
    )


def _host(fleet: Fleet, member: Member) -> str | None:
    found = fleet.gateway_of(member)
    return host_of(found[0]) if found else None

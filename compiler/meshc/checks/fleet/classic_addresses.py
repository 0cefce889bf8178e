"""Checks addresses of classic Istio: the host name of Pilot, and the addresses of policy and telemetry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes
from meshc.mesh.hosts import host_fault, ip_version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshc.errors import Path, Problem
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source


def pilot_name(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Pilot's host name gives the namespace that sidecars expect in Pilot's certificate, so the two must match.

    If the name has exactly two labels, pilot-agent 1.0.6 takes the second one as Pilot's namespace. For an IP address
    or a longer name it takes istio-system. Only istio-pilot.<namespace> is always right.
    """
    secured = fleet.mesh.spec.security.control_plane_tls is not False
    namespace = fleet.mesh.spec.istio.namespace
    for member in fleet.remotes:
        primary = fleet.primary_of(member)
        known = fleet.addresses_of(member)
        if primary is None or "pilot" not in known:
            continue
        address, path = known["pilot"]
        if host_fault(address):
            continue
        asked = primary.cluster.control_plane.pilot_service if primary.cluster.control_plane else None
        is_name = ip_version(address) == 0
        if asked and is_name:
            what = f'{member.name}: "{address}" is a host name, but the Endpoints of pilotService need IP addresses'
            hint = "write the IP address, or remove pilotService"
            also = (source.document.place(primary.path("controlPlane", "pilotService")),)
            yield source.problem(codes.PILOT_SERVICE_NEEDS_IP, path, what, hint, also=also, clusters=(member.name,))
        elif secured and (is_name or asked is False):
            expected = _expected_namespace(address, is_name)
            if expected != namespace:
                where = f'namespace "{expected}"' if expected else "the namespace of their workload"
                expects = f'sidecars that connect to "{address}" expect pilot in {where}'
                what = f'{member.name}: {expects}, not "{namespace}"'
                hint = f"use an IP address with pilotService: true, so that sidecars connect to istio-pilot.{namespace}"
                yield source.problem(codes.PILOT_NAME_FAILS, path, what, hint, clusters=(member.name,))


def _expected_namespace(address: str, is_name: bool) -> str:
    labels = address.split(".")
    if is_name and len(labels) == 2:
        return labels[1]
    return "" if is_name and len(labels) == 1 else "istio-system"


def mixer(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Policy and telemetry need two addresses in classic Istio, as both listen on port 15004.

    The chart writes that port for both into the mesh configuration of remotes, so one address can't serve both.
    """
    reported: set[Path] = set()
    for member in fleet.remotes:
        primary, known = fleet.primary_of(member), fleet.addresses_of(member)
        control_plane = primary.cluster.control_plane if primary else None
        if control_plane is None or control_plane.exposure not in ("load-balancer", "gateway"):
            continue
        policy, telemetry = (known.get(part, ("", ())) for part in ("policy", "telemetry"))
        if policy[0] and policy[0] == telemetry[0] and telemetry[1] not in reported:
            reported.add(telemetry[1])
            what = (
                f"{member.name}: telemetry and policy are both at {telemetry[0]}, and sidecars call both on port 15004"
            )
            hint = "give telemetry its own address; with exposure: gateway, meshc makes a second Service for it"
            also = (source.document.place(policy[1]),)
            path, clusters = telemetry[1], (member.name,)
            yield source.problem(codes.MIXER_AT_ONE_ADDRESS, path, what, hint, also=also, clusters=clusters)

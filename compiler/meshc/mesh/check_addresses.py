"""Addresses: how remotes reach their primary's control plane."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from meshc import codes
from meshc.kube import SUBDOMAIN, Version
from meshc.mesh.check_clusters import means_itself

if TYPE_CHECKING:
    from meshc.errors import Path, Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.source import Source

_PARTS = {True: ("pilot", "policy", "telemetry", "zipkin"), False: ("istiod",)}
_IPV6_FIRST = Version(1, 30)  # istio#58828


def addresses(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Each remote has a route to its primary, of the right generation, with addresses that can be reached."""
    needed = _PARTS[fleet.classic][0]
    reported: set[Path] = set()
    for member in fleet.remotes:
        primary = fleet.primary_of(member)
        if primary is None:
            continue
        known = fleet.addresses_of(member)
        if needed not in known and primary.path("controlPlane") not in reported:
            reported.add(primary.path("controlPlane"))
            path = primary.path("controlPlane") if primary.cluster.control_plane else primary.path("name")
            what = f"{primary.name}: the address of {needed} is missing, so {member.name} can't reach its control plane"
            hint = f"add controlPlane: {{addresses: {{{needed}: ...}}}} to {primary.name}"
            yield source.problem(codes.ADDRESS_MISSING, path, what, hint, clusters=(member.name,))
        for part, (address, path) in known.items():
            if path not in reported:
                reported.add(path)
                yield from _address(fleet, source, member, part, address, path)
    for member in fleet.primaries:
        for part, address in (member.cluster.control_plane.addresses if member.cluster.control_plane else {}).items():
            path = member.path("controlPlane", "addresses", part)
            if path not in reported:  # a primary without remotes
                yield from _address(fleet, source, member, part, address, path)


def _address(fleet: Fleet, source: Source, member: Member, part: str, address: str, path: Path) -> Iterable[Problem]:
    clusters = (member.name,)
    if part not in _PARTS[fleet.classic]:
        other = "istiod" if fleet.classic else "classic Istio"
        what = f'"{part}" is an address of {other}; this mesh has {", ".join(_PARTS[fleet.classic])}'
        yield source.problem(codes.WRONG_GENERATION, path, what, "take it out", clusters=clusters)
        return
    if fault := _address_fault(address):
        hint = "write an IP address or a host name that remotes reach"
        yield source.problem(codes.BAD_ADDRESS, path, f"{part}: {fault}", hint, clusters=clusters)
        return
    version = _ip_version(address)
    if version == 6 and fleet.version_of(member) < _IPV6_FIRST:
        what = f"{part}: {address} is IPv6, which Istio {fleet.version_of(member)} takes for a host name"
        yield source.problem(codes.IPV6_TOO_EARLY, path, what, "use IPv4 or a host name, or Istio 1.30", clusters=clusters)
    elif version == 0 and not fleet.classic and part == "istiod":
        primary = fleet.primary_of(member)
        if primary and not (primary.cluster.control_plane and primary.cluster.control_plane.injection_url):
            what = f'istiod is reached by host name "{address}", and API servers refuse webhooks to a Service of type ExternalName'
            hint = f"add injectionURL: https://{address}:15017 to controlPlane of {primary.name}, or use an IP address"
            yield source.problem(codes.INJECTION_URL_MISSING, path, what, hint, clusters=clusters)


def _address_fault(address: str) -> str | None:
    """Why nothing can be reached by an address: empty, a placeholder left over, with a port, the caller itself."""
    shown = json.dumps(address[:80], ensure_ascii=False)
    if not address.strip():
        return "the address is empty"
    if any(mark in address for mark in "${}<>%") or address.upper() in ("TODO", "CHANGEME", "NONE", "PENDING"):
        return f"{shown} is a placeholder"
    if _ip_version(address):
        parsed = ipaddress.ip_address(address)
        if means_itself(address):
            return f"{shown} only means the caller itself"
        return f"{shown} can't be reached from elsewhere" if parsed.is_link_local or parsed.is_multicast else None
    if means_itself(address):
        return f"{shown} only means the caller itself"
    if "://" in address or "/" in address:
        return f"{shown} is a URL; write the host alone"
    host, colon, port = address.partition(":")
    if colon and port.isdigit():
        return f"{shown} has a port; Istio's ports are known, write {json.dumps(host)}"
    if address.replace(".", "").isdigit():
        return f"{shown} is no IP address"
    return None if SUBDOMAIN.fullmatch(address) else f"{shown} is neither an IP address nor a host name"


def _ip_version(address: str) -> int:
    """4 or 6, and 0 for a host name."""
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return 0


def injection_urls(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """An injectionURL is https://host:port: each remote's own path is added to it."""
    for member in fleet.primaries:
        control_plane = member.cluster.control_plane
        url = control_plane.injection_url if control_plane else None
        if url is None:
            continue
        path = member.path("controlPlane", "injectionURL")
        if fleet.classic:
            what = "classic Istio has no injection URL"
            yield source.problem(codes.WRONG_GENERATION, path, what, "take injectionURL out", key=True, clusters=(member.name,))
        elif fault := _url_fault(url):
            hint = "write https://host:15017; the path /inject/cluster/... is added for each remote"
            yield source.problem(codes.BAD_INJECTION_URL, path, f"injectionURL {fault}", hint, clusters=(member.name,))


def _url_fault(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no URL"
    if parts.scheme != "https":
        return "doesn't begin with https://"
    if not host or parts.username or any(c.isspace() or not c.isprintable() for c in url):
        return "is no URL of a host"
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return "has a path or a query"
    return f"names {json.dumps(host)}, which only means the caller itself" if means_itself(host) else None


def pilot_name(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Classic: the name a sidecar connects to decides the name it expects in pilot's certificate.

    pilot-agent 1.0.6 takes the second of exactly two labels as pilot's namespace, and for an IP address or a longer
    name istio-system; only istio-pilot.<namespace> is always right.
    """
    if not fleet.classic:
        return
    secured = fleet.mesh.spec.security.control_plane_tls is not False
    namespace = fleet.mesh.spec.istio.namespace
    for member in fleet.remotes:
        primary = fleet.primary_of(member)
        known = fleet.addresses_of(member)
        if primary is None or "pilot" not in known:
            continue
        address, path = known["pilot"]
        if _address_fault(address):
            continue
        asked = primary.cluster.control_plane.pilot_service if primary.cluster.control_plane else None
        is_name = _ip_version(address) == 0
        if asked and is_name:
            what = f'pilotService needs an IP address, as Endpoints hold nothing else; "{address}" is a host name'
            also = (source.document.place(primary.path("controlPlane", "pilotService")),)
            yield source.problem(codes.PILOT_SERVICE_NEEDS_IP, path, what, "write the IP address", also=also, clusters=(member.name,))
        elif secured and (is_name or asked is False):
            expected = _expected_namespace(address, is_name)
            if expected != namespace:
                what = f'sidecars that connect to "{address}" expect pilot in namespace "{expected}", but it runs in "{namespace}"'
                hint = "use an IP address with pilotService: true, so that they connect to istio-pilot." + namespace
                yield source.problem(codes.PILOT_NAME_FAILS, path, what, hint, clusters=(member.name,))


def _expected_namespace(address: str, is_name: bool) -> str:
    labels = address.split(".")
    if is_name and len(labels) == 2:
        return labels[1]
    return "the workload's own" if is_name and len(labels) == 1 else "istio-system"


def exposure(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Addresses of pods go stale whenever one restarts (istio#4822)."""
    for member in fleet.primaries:
        control_plane = member.cluster.control_plane
        if control_plane and control_plane.exposure == "pod-ip":
            what = f"{member.name}: remotes reach the control plane by pod addresses, which change when a pod restarts"
            hint = "use a load balancer, or acknowledge it and compile again after each restart"
            path = member.path("controlPlane", "exposure")
            yield source.problem(codes.STALE_ADDRESS, path, what, hint, clusters=(member.name,))

"""Checks injectionURL: the URL at which the API servers of remotes call a primary's istiod for injection."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from meshc import codes
from meshc.mesh.hosts import host_fault, ip_version, url_fault
from meshc.mesh.revisions import planes, way_to_istiod

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshc.errors import Problem
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source


def injection_urls(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """An injectionURL is https://host:port without a path, as remotes add their own, and is set if it is needed."""
    for member in fleet.primaries:
        control_plane = member.cluster.control_plane
        url = control_plane.injection_url if control_plane else None
        if url is None:
            continue
        path = member.path("controlPlane", "injectionURL")
        if fault := _injection_url_fault(url):
            hint = "write https://host:15017; meshc adds the path /inject/cluster/... for each remote"
            what = f"{member.name}: injectionURL: {fault}"
            yield source.problem(codes.BAD_INJECTION_URL, path, what, hint, clusters=(member.name,))
    yield from _injection_urls_missing(fleet, source)


def _injection_url_fault(url: str) -> str | None:
    if fault := url_fault(url):
        return fault
    return "it has a path" if urlsplit(url).path not in ("", "/") else None


def _injection_urls_missing(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """An injectionURL is needed if istiod's address is a host name.

    The Service of such an istiod has type ExternalName, which webhooks can't call.
    """
    for member in (plane for remote in fleet.remotes for plane in planes(fleet, remote)):
        primary = fleet.primary_of(member)
        way = way_to_istiod(fleet, member)
        if primary is None or member.cluster.sidecar_injection == "manual" or way is None:
            continue
        address, path = way
        control_plane = primary.cluster.control_plane
        if host_fault(address) or ip_version(address) or (control_plane and control_plane.injection_url):
            continue
        what = (
            f'{member.name}: the address of istiod is the host name "{address}", '
            "and API servers refuse webhooks that call a Service of type ExternalName"
        )
        url = f"https://{address}:15017"
        hint = f"add injectionURL: {url} to controlPlane of {primary.name}, or use an IP address"
        yield source.problem(codes.INJECTION_URL_MISSING, path, what, hint, clusters=(member.name,))

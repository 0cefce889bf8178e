"""Checks whether an address can work from another machine."""

from __future__ import annotations

import ipaddress
import json
import re
from functools import lru_cache
from urllib.parse import urlsplit

from meshc.kube import SUBDOMAIN

_MARKS = "${}<>%"
_NUMBER = re.compile(r"\d+|0[xX][0-9a-fA-F]*")
_LEFT_OVER = ("TODO", "FIXME", "CHANGEME", "NONE", "NULL", "PENDING")


@lru_cache(maxsize=1 << 14)
def ip_version(address: str) -> int:
    """4 or 6, and 0 for a host name."""
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return 0


@lru_cache(maxsize=1 << 14)
def is_in_range(address: str, cidr: str) -> bool:
    """True if an address is in a range. False for an invalid range, which another check reports."""
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(cidr)
    except ValueError:
        return False


@lru_cache(maxsize=1 << 14)
def host_fault(host: str, domain: str = "cluster.local") -> str | None:
    """Why a host can't work, as a sentence: it is empty, a placeholder, or a loopback address.

    `domain` is the domain of Services inside a cluster.
    """
    shown = json.dumps(host[:80], ensure_ascii=False)
    if not host.strip():
        return "the address is empty"
    if _means_itself(host):
        return f"{shown} only reaches the client's own machine"
    if ip_version(host):
        return f"{shown} can't be reached from other clusters" if _stays_near(host) else None
    if any(mark in host for mark in _MARKS) or host.upper() in _LEFT_OVER:
        return f"{shown} is a placeholder"
    if "://" in host:
        return f"{shown} is a URL; write only the host"
    if "/" in host:
        return f'{shown} contains "/"; write only the host'
    if ip_version(host.strip("[]")) == 6:
        return f"{shown} has brackets; write {json.dumps(host.strip('[]'))}"
    name, colon, port = host.partition(":")
    if colon and port.isdigit():
        return f"{shown} has a port; meshc knows Istio's ports, so write {json.dumps(name)}"
    if _NUMBER.fullmatch(name.rpartition(".")[2]):  # resolvers read this as an address (WHATWG URL, ends in a number)
        return f"{shown} isn't an IP address"
    if name.lower().endswith((".svc", f".svc.{domain}")):
        return f"{shown} only resolves inside a cluster"
    if SUBDOMAIN.fullmatch(host.lower()):
        return None if host == host.lower() else f"{shown} has capital letters; write {json.dumps(host.lower())}"
    return f"{shown} is neither an IP address nor a host name"


def mended_host(host: str, domain: str = "cluster.local") -> str:
    """The intended host for one with brackets, a port or capital letters; empty if it isn't certain."""
    name, _, port = host.partition(":")
    better = (name if port.isdigit() else host.strip("[]")).lower()
    return better if better != host and host_fault(better, domain) is None else ""


def url_fault(url: str) -> str | None:
    """Why a URL isn't https://host:port, as a sentence, without parts that may be secret."""
    shown = json.dumps(url[:80], ensure_ascii=False) if not any(mark in url for mark in "@?#") else "it"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f"{shown} isn't a URL"
    if parts.scheme != "https":
        return f"{shown} doesn't begin with https://"
    if any(mark in url for mark in _MARKS):
        return f"{shown} contains a placeholder"
    if not host or any(c.isspace() or not c.isprintable() for c in url):
        return f"{shown} isn't a URL"
    if "@" in parts.netloc:
        return f"{shown} contains a user name or password"
    if parts.query or parts.fragment:
        return f"{shown} has a query or fragment"
    return host_fault(host)


def same_server(url: str) -> str:
    """The URL in normal form: host in lower case, without the default port and without a / at the end."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port not in (None, 443) else ""
    except ValueError:
        return url
    return f"{parts.hostname or ''}{port}{parts.path.rstrip('/')}"


def _plainly(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address; an IPv4 address in IPv6 form becomes IPv4."""
    address = ipaddress.ip_address(host)
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _stays_near(host: str) -> bool:
    address = _plainly(host)
    return address.is_link_local or address.is_multicast or str(address) == "255.255.255.255"


def _means_itself(host: str) -> bool:
    """True if a host works only on its own machine: localhost, loopback, unspecified."""
    try:
        address = _plainly(host)
    except ValueError:
        name = host.rstrip(".").lower()
        return name in ("localhost", "localhost.localdomain") or name.endswith(".localhost")
    return address.is_loopback or address.is_unspecified

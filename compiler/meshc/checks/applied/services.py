"""Checks Services, EndpointSlices and Endpoints for values that the API server refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from meshc.checks.applied.metadata import is_value
from meshc.checks.applied.view import Fault
from meshc.kube import LABEL, as_list, at

if TYPE_CHECKING:
    from meshc.checks.applied.view import Single

_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_PORT_NAME = re.compile(r"(?=.{0,15}\Z)(?!.*--)(?=[a-z0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_PORTS, _PATH = range(1, 65536), ("spec", "ports")
_JOINS = "kustomize merges ports by number and protocol: write both as in overlays/, or use a JSON patch"


def services(one: Single) -> Iterator[Fault]:
    """Checks a Service of the core API."""
    body = one.body
    if body.get("kind") != "Service" or body.get("apiVersion") != "v1":
        return
    spec = body.get("spec")
    kind = at(spec, "type") or "ClusterIP"
    ports = as_list(at(spec, "ports"))
    if kind not in _TYPES:
        yield Fault(("spec", "type"), f'has the unknown type "{kind}"', f"write one of {', '.join(_TYPES)}")
    if kind == "ExternalName" and not at(spec, "externalName"):
        yield Fault(("spec", "type"), "is an ExternalName without externalName", "name the host")
    elif kind != "ExternalName" and not ports and at(spec, "clusterIP") != "None":
        yield Fault(_PATH, "has no ports", "add one; only a headless Service may have no ports")
    if kind in ("NodePort", "LoadBalancer") and at(spec, "clusterIP") == "None":
        yield Fault(("spec", "type"), f"is headless but has type {kind}", "remove one of the two")
    selector = at(spec, "selector")
    for key, value in selector.items() if isinstance(selector, Mapping) else ():
        if not isinstance(value, str) or not is_value(value):
            yield Fault(
                ("spec", "selector", key),
                f"has a selector on {key} with a value that is invalid for a label",
                "correct it",
            )
    yield from _ports(ports)
    for port in ports:
        yield from _port(port, kind)


def _ports(ports: tuple[Any, ...]) -> Iterator[Fault]:
    """Each port of a Service has its own name and number."""
    seen: set[object] = set()
    for port in ports:
        number, name, protocol = at(port, "port"), at(port, "name"), at(port, "protocol") or "TCP"
        if name is None and len(ports) > 1:
            yield Fault(_PATH, f"has several ports, but port {number} has no name", "give it a name")
        if name is not None and name in seen:
            yield Fault(_PATH, f'has two ports named "{name}"', _JOINS)
        if (number, protocol) in seen:
            yield Fault(_PATH, f"has port {number}/{protocol} twice", _JOINS)
        seen |= {name, (number, protocol)}


def _port(port: Any, kind: str) -> Iterator[Fault]:
    number, name, target = at(port, "port"), at(port, "name"), at(port, "targetPort")
    if type(number) is not int or number not in _PORTS:
        yield Fault(_PATH, "has a port that isn't a number from 1 to 65535", "write a number, without quotes")
    if name is not None and (not isinstance(name, str) or not LABEL.fullmatch(name)):
        yield Fault(
            _PATH, f'has a port named "{name}", which isn\'t a DNS-1123 label', "write lower case letters, digits, -"
        )
    if (protocol := at(port, "protocol")) not in (None, *_PROTOCOLS):
        yield Fault(
            _PATH,
            f'has a port with the unknown protocol "{protocol}"',
            "write TCP, UDP or SCTP; write HTTP under appProtocol",
        )
    is_number = type(target) is int and target in _PORTS
    if target not in (None, 0, "") and not is_number and not (isinstance(target, str) and _PORT_NAME.fullmatch(target)):
        yield Fault(
            _PATH,
            f'has the invalid targetPort "{target}"',
            "write a number without quotes, or the name of a pod's port",
        )
    if at(port, "nodePort") not in (None, 0) and kind not in ("NodePort", "LoadBalancer"):
        yield Fault(_PATH, f"has a nodePort but type {kind}", "remove the nodePort, or change the type")


def slices(one: Single) -> Iterator[Fault]:
    """Checks an EndpointSlice, or Endpoints."""
    body, kind = one.body, one.identity.kind
    if (one.identity.group, kind) == ("discovery.k8s.io", "EndpointSlice"):
        family = body.get("addressType")
        if family not in ("IPv4", "IPv6", "FQDN"):
            yield Fault(("addressType",), f'has the unknown addressType "{family}"', "write IPv4, IPv6 or FQDN")
        for endpoint in as_list(body.get("endpoints")):
            if not as_list(at(endpoint, "addresses")):
                yield Fault(("endpoints",), "has an endpoint without addresses", "add an address")
            for address in as_list(at(endpoint, "addresses")):
                yield from _address(address, family, ("endpoints",))
        yield from _slice_ports(as_list(body.get("ports")), ("ports",))
        if not at(body, "metadata", "labels", "kubernetes.io/service-name"):
            what = "has no label kubernetes.io/service-name, so it belongs to no Service"
            yield Fault(("metadata", "labels"), what, "add the label with the name of the Service")
    elif (one.identity.group, kind) == ("", "Endpoints"):
        for subset in as_list(body.get("subsets")):
            for endpoint in as_list(at(subset, "addresses")):
                yield from _address(at(endpoint, "ip"), "", ("subsets",))
            yield from _slice_ports(as_list(at(subset, "ports")), ("subsets",))


def _address(text: Any, family: Any, path: tuple[str, ...]) -> Iterator[Fault]:
    if family == "FQDN":
        return
    try:
        found = ip_address(str(text))
    except ValueError:
        yield Fault(path, f'has address "{text}", which isn\'t an IP address', "write an IP address")
        return
    if family in ("IPv4", "IPv6") and f"IPv{found.version}" != family:
        yield Fault(path, f"has address {found} but addressType {family}", "write one EndpointSlice for each IP family")
    if found.is_loopback or found.is_link_local or found.is_unspecified or found.is_multicast:
        yield Fault(
            path, f"has address {found}, which is invalid for an endpoint", "write an address that clients can reach"
        )


def _slice_ports(ports: tuple[Any, ...], path: tuple[str, ...]) -> Iterator[Fault]:
    names = [at(port, "name") or "" for port in ports]
    if len({*names}) < len(names):
        yield Fault(path, "has two ports with the same name", "name each one as the port of the Service")
    for port in ports:
        number = at(port, "port")
        if number is not None and (type(number) is not int or number not in _PORTS):
            yield Fault(path, "has a port that isn't a number from 1 to 65535", "write a number, without quotes")

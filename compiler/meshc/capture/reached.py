"""Finds the addresses of control planes in the objects of a remote.

For istiod, they are listed by the name of its Service, which contains the revision; for classic Istio, by part.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from meshc.capture import planes
from meshc.components.injection import service_name
from meshc.kube import as_list, at

if TYPE_CHECKING:
    from meshc.capture.dump import Dump
    from meshc.generation import Generation

_PARTS = {"pilot": "istio-pilot", "policy": "istio-policy", "telemetry": "istio-telemetry", "zipkin": "zipkin"}
"""The Services of classic Istio's parts."""


def reached_by(dump: Dump, namespace: str, generation: Generation) -> dict[str, str]:
    """An address for each name."""
    behind = dict(_behind(dump, namespace))
    if not generation.has_revisions:
        pilot = {"pilot": behind["istio-pilot"]} if "istio-pilot" in behind else {}
        return _told_to_proxies(dump, namespace) | pilot
    named = {
        str(at(body, "metadata", "name")): str(at(body, "spec", "externalName"))
        for body in dump.all("Service", namespace)
        if at(body, "spec", "type") == "ExternalName"
    }
    return {name: address for name, address in (behind | named).items() if _is_istiod(name)}


def addresses_of(reached: dict[str, str], revision: str, further: set[str]) -> dict[str, str]:
    """The addresses in the form of `controlPlane.addresses`: the cluster's own revision, and others by their
    Services."""
    own = service_name(revision)
    names = {service_name(one) for one in further} - {own}
    return {("istiod" if name == own else name): one for name, one in reached.items() if name == own or name in names}


def _told_to_proxies(dump: Dump, namespace: str) -> dict[str, str]:
    config = planes.mesh_config(dump, namespace, "default")
    told = {
        "pilot": at(config, "defaultConfig", "discoveryAddress"),
        "policy": config.get("mixerCheckServer"),
        "telemetry": config.get("mixerReportServer"),
        "zipkin": at(config, "defaultConfig", "zipkinAddress"),
    }
    hosts = {part: str(text).rpartition(":")[0] for part, text in told.items() if text}
    return {part: host for part, host in hosts.items() if not f"{host}.".startswith(f"{_PARTS[part]}.")}


def _is_istiod(name: str) -> bool:
    return name == "istiod" or (name.startswith("istiod-") and not name.startswith("istiod-revision-tag-"))


def _behind(dump: Dump, namespace: str) -> Iterator[tuple[str, str]]:
    """The first address behind each Service."""
    for body in reversed(dump.all("EndpointSlice", namespace)):
        name = str(at(body, "metadata", "labels", "kubernetes.io/service-name") or "")
        for endpoint in as_list(body.get("endpoints")):
            yield from ((name, str(address)) for address in reversed(as_list(at(endpoint, "addresses"))))
    for body in dump.all("Endpoints", namespace):
        for subset in as_list(body.get("subsets")):
            for address in reversed(as_list(at(subset, "addresses"))):
                yield str(at(body, "metadata", "name")), str(at(address, "ip"))

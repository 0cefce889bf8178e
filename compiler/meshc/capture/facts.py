"""Reads facts about a live cluster: its version, address ranges, network, and its Istio."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.capture.resource import Resource, core
from meshc.capture.trouble import AskError
from meshc.capture.valued import mapping
from meshc.kube import Version, as_list, at
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.capture.ask import Api
    from meshc.generation import Generation
    from meshc.kube import Body

Range = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about a cluster.

    A fact that isn't known is empty; if a right is missing, `untold` says so. `pods` and `services` are whole ranges.
    `nodes` are the parts of the range that nodes have, and `address` is the address of one Service; both are inside the
    whole range.
    """

    kubernetes: str
    pods: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    address: str = ""
    network: str = ""
    istio: str = ""
    revision: str = ""
    cluster_id: str = ""
    untold: tuple[AskError, ...] = ()


def facts(api: Api, namespace: str, generation: Generation) -> Facts:
    """Reads every fact that the user has the right to read. Raises AskError only if the server doesn't answer."""
    rights = _Rights(api)
    version = api.version()
    parsed = Version.parse(version)
    settings = kubeadm(rights.find(core("configmaps", "kube-system", "kubeadm-config")))
    services = settings.get("serviceSubnet", ())
    if not services and parsed and parsed >= _SERVICE_CIDRS:
        ranges = rights.listed(Resource("servicecidrs", group="networking.k8s.io"))
        services = tuple(_ranges(cidr for one in ranges for cidr in as_list(at(one, "spec", "cidrs"))))
    nodes = rights.listed(core("nodes"))
    selector = ",".join(f"{key}={value}" for key, value in generation.labels[generation.parts[0]].items())
    istiod = rights.listed(Resource("deployments", namespace, group="apps"), labelSelector=selector)
    home = rights.find(core("namespaces", name=namespace))
    first = istiod[0] if istiod else None
    return Facts(
        version,
        settings.get("podSubnet", ()),
        services,
        tuple(_ranges(cidr for one in nodes for cidr in at(one, "spec", "podCIDRs") or [at(one, "spec", "podCIDR")])),
        str(at(rights.find(core("services", "default", "kubernetes")), "spec", "clusterIP") or ""),
        str(at(home, "metadata", "labels", "topology.istio.io/network") or ""),
        tag(first),
        str(at(first, "metadata", "labels", "istio.io/rev") or ""),
        environment(first).get("CLUSTER_ID", ""),
        tuple(rights.untold),
    )


_SERVICE_CIDRS = Version(1, 33)


class _Rights:
    """Reads an API server as far as the user's rights allow; `untold` are the refusals so far."""

    def __init__(self, api: Api) -> None:
        self.untold: list[AskError] = []
        self._api = api

    def find(self, resource: Resource) -> Body | None:
        try:
            return self._api.find(resource)
        except AskError as error:
            self.untold.append(error)
            return None

    def listed(self, resource: Resource, **query: str) -> list[Body]:
        try:
            return self._api.listed(resource, **query)
        except AskError as error:
            self.untold.append(error)
            return []


def outside(parts: Iterable[str], whole: Sequence[str]) -> list[str]:
    """The ranges, or addresses, that are inside none of the others."""
    around = [_parsed(one) for one in whole]
    lost = []
    for part in parts:
        inner = _parsed(part)
        if inner and not any(one and one.version == inner.version and _within(inner, one) for one in around):
            lost.append(part)
    return lost


def _within(inner: Range, around: Range) -> bool:
    return inner.network_address in around and inner.prefixlen >= around.prefixlen


def _parsed(text: str) -> Range | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _ranges(texts: Iterable[object]) -> list[str]:
    """The valid ranges, each once, in order."""
    return sorted({str(found) for text in texts if isinstance(text, str) and (found := _parsed(text))})


def joined(texts: Iterable[object]) -> list[str]:
    """Merges neighbouring ranges, IPv4 first."""
    ranges = [one for one in map(_parsed, _ranges(texts)) if one]
    four = [one for one in ranges if isinstance(one, ipaddress.IPv4Network)]
    six = [one for one in ranges if isinstance(one, ipaddress.IPv6Network)]
    return [str(one) for one in (*ipaddress.collapse_addresses(four), *ipaddress.collapse_addresses(six))]


def kubeadm(body: Body | None) -> dict[str, tuple[str, ...]]:
    """The ranges in the configuration of kubeadm, if it made the cluster."""
    documents, problems = read(str(at(body, "data", "ClusterConfiguration") or "").encode(), "kubeadm-config")
    if problems or not documents:
        return {}
    said = mapping(at(documents[0].data, "networking"))
    texts = {key: str(said.get(key) or "").split(",") for key in ("podSubnet", "serviceSubnet")}
    return {key: tuple(_ranges(parts)) for key, parts in texts.items()}


def tag(deployment: Body | None) -> str:
    """The version in the tag of the control plane's image."""
    for container in _containers(deployment):
        found = re.search(r"(?s):(\d+\.\d+\.\d+)(?:[-@].*)?\Z", str(container.get("image")))
        if found and container.get("name") in ("discovery", "istiod", "pilot"):
            return found[1]
    return ""


def environment(deployment: Body | None) -> dict[str, str]:
    """The environment variables of its containers that have a literal value."""
    return {
        str(entry.get("name")): str(entry.get("value") or "")
        for container in _containers(deployment)
        for entry in as_list(container.get("env"))
        if isinstance(entry, dict)
    }


def _containers(deployment: Body | None) -> list[Body]:
    found = at(deployment, "spec", "template", "spec", "containers") or ()
    return [one for one in found if isinstance(one, dict)]

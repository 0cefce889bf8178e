"""Plays kube-proxy, a cloud's load balancers and cluster DNS, by the Services of one API server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from proof.api import Body
from proof.cluster import Cluster
from proof.running import run

_Key = tuple[str, str]
_Target = tuple[str, int]


class Proxy:
    """The rules of one node, written anew where something changed."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._last = ""
        self._given: dict[str, str] = {}
        self.names: Mapping[str, str] = {}
        self.instead: dict[str, str] = {}
        """The address that a load balancer gives, whatever its Service asks for."""

    def refresh(self) -> None:
        services = self._cluster.api.items("/api/v1/services")
        slices = self._cluster.api.items("/apis/discovery.k8s.io/v1/endpointslices")
        self.names = dict(_names(services))
        for service in services:
            self._give_address(service)
        rules = "\n".join(_rules(services, _endpoints(slices), self.instead))
        if rules != self._last:
            uplink = self._cluster.node.uplink
            away = f"oifname {uplink} ip saddr {self._cluster.shape.pods} masquerade"
            chains = [
                f"chain pre {{ type nat hook prerouting priority -100;\n{rules}\n}}",
                f"chain out {{ type nat hook output priority -100;\n{rules}\n}}",
                f"chain post {{ type nat hook postrouting priority 100;\n{away}\n}}",
            ]
            table = "table ip kube {}\ndelete table ip kube\ntable ip kube {\n" + "\n".join(chains) + "\n}\n"
            run("nft", "-f", "-", stdin=table, namespace=self._cluster.name)
            self._last = rules

    def _give_address(self, service: Body) -> None:
        """A load balancer has the address that its Service asks for, unless it was moved."""
        wanted = service["spec"].get("loadBalancerIP")
        if service["spec"].get("type") != "LoadBalancer" or not wanted:
            return
        given = self.instead.get(wanted, wanted)
        before = self._given.get(_path(service))
        self._given[_path(service)] = given
        if before and before not in self._given.values():
            self._cluster.node.drop(before)
        self._cluster.node.add(given)
        status = {"loadBalancer": {"ingress": [{"ip": given}]}}
        if [each.get("ip") for each in service["status"]["loadBalancer"].get("ingress") or []] != [given]:
            self._cluster.api.merge(f"{_path(service)}/status", {"status": status})


def hosts_of(names: Mapping[str, str]) -> str:
    """A hosts file: what cluster DNS would answer."""
    return "".join(f"{address} {name}\n" for name, address in sorted({**names, "localhost": "127.0.0.1"}.items()))


def _names(services: list[Body]) -> Iterator[tuple[str, str]]:
    for service in services:
        address = service["spec"].get("clusterIP")
        if address and address != "None":
            name = f"{service['metadata']['name']}.{service['metadata']['namespace']}"
            for end in ("", ".svc", ".svc.cluster.local"):
                yield name + end, address


def _endpoints(slices: list[Body]) -> Mapping[_Key, Mapping[str, list[_Target]]]:
    """Of each Service and name of a port: addresses that are ready."""
    found: dict[_Key, dict[str, list[_Target]]] = defaultdict(lambda: defaultdict(list))
    for body in slices:
        owner = (body["metadata"].get("labels") or {}).get("kubernetes.io/service-name")
        if not owner:
            continue
        key = (str(body["metadata"]["namespace"]), str(owner))
        for port in body.get("ports") or []:
            for endpoint in body.get("endpoints") or []:
                if (endpoint.get("conditions") or {}).get("ready") is not False:
                    found[key][port.get("name") or ""] += [(each, port["port"]) for each in endpoint["addresses"]]
    return found


def _rules(
    services: list[Body], endpoints: Mapping[_Key, Mapping[str, list[_Target]]], instead: Mapping[str, str]
) -> Iterator[str]:
    for service in sorted(services, key=_path):
        spec = service["spec"]
        key = (str(service["metadata"]["namespace"]), str(service["metadata"]["name"]))
        wanted = str(spec.get("loadBalancerIP") or "") if spec.get("type") == "LoadBalancer" else ""
        addresses = [spec.get("clusterIP"), instead.get(wanted, wanted)]
        for port in spec.get("ports") or []:
            targets = endpoints.get(key, {}).get(port.get("name") or "", [])
            for address in addresses:
                if address and address != "None" and port.get("protocol", "TCP") == "TCP":
                    yield f"ip daddr {address} tcp dport {port['port']} {_to(targets)}"


def _to(targets: list[_Target]) -> str:
    if not targets:
        return "counter"
    if len(targets) == 1:
        return f"dnat to {targets[0][0]}:{targets[0][1]}"
    pairs: list[Any] = [f"{number} : {address} . {port}" for number, (address, port) in enumerate(targets)]
    return f"dnat to numgen random mod {len(targets)} map {{ {', '.join(pairs)} }}"


def _path(service: Body) -> str:
    return f"/api/v1/namespaces/{service['metadata']['namespace']}/services/{service['metadata']['name']}"

"""Makes the objects of running meshes: set up like Istio's own guides, rendered from Istio's charts.

As in a real cluster, they have Helm's labels, the status of load balancers, and the caBundle that istiod writes.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from support.charts import FOLDER, PLACES
from support.credentials import CANARY, CONFIG
from support.throwaway import Authority, KeyType, make_root, pem
from support.tools import find_tool

Body = dict[str, Any]
Clusters = dict[str, list[Body]]
SYSTEM = "istio-system"


def rendered(
    version: str, chart: str, values: Mapping[str, Any], release: str = "", classic: bool = False
) -> list[Body]:
    """The objects that `helm install` of a chart leaves in a cluster, without the hooks of Istio 1.0."""
    said = _rendered(version, chart, json.dumps(values, sort_keys=True), release or chart)
    bodies = [body for body in copy.deepcopy(said) if body["kind"] not in ("Job", "CustomResourceDefinition")]
    for body in bodies:
        if classic and body["kind"] == "Deployment":  # an API server returns it in apps/v1
            body["apiVersion"] = "apps/v1"
            body["spec"].setdefault("selector", {"matchLabels": body["spec"]["template"]["metadata"]["labels"]})
        if body["kind"] not in ("ClusterRole", "ClusterRoleBinding") and "Webhook" not in body["kind"]:
            body["metadata"].setdefault("namespace", SYSTEM)
        else:
            body["metadata"].pop("namespace", None)
    return bodies


@cache
def _rendered(version: str, chart: str, values: str, release: str) -> list[Body]:
    place = Path(FOLDER, version, PLACES[chart])
    words = [find_tool("helm"), "template", release, str(place), "-n", SYSTEM, "-f", "-"]
    done = subprocess.run(words, input=values.encode(), capture_output=True, check=False)

    assert done.returncode == 0, done.stderr.decode()

    found: list[Body] = []
    for body in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader):
        found += (body["items"] if body["kind"] == "List" else [body]) if body else []
    return found


def thing(kind: str, name: str, namespace: str = "", version: str = "v1", **fields: Any) -> Body:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def nodes(cidr: str, version: str = "v1.34.1") -> list[Body]:
    told = {"nodeInfo": {"kubeletVersion": version}}
    return [thing("Node", f"node-{cidr.split('.')[1]}", spec={"podCIDRs": [cidr]}, status=told)]


def namespace(name: str, labels: Mapping[str, str], annotations: Mapping[str, str] | None = None) -> Body:
    said = {"kubernetes.io/metadata.name": name, **labels}
    return thing("Namespace", name, metadata={"labels": said, "annotations": dict(annotations or {})})


def balancer(name: str, selector: Mapping[str, str], address: str, ports: list[int]) -> Body:
    spec: Body = {"type": "LoadBalancer", "selector": dict(selector), "clusterIP": "10.96.0.77"}
    spec["ports"] = [
        {"name": f"tcp-{port}", "port": port, "targetPort": port, "nodePort": 30000 + port % 2000} for port in ports
    ]
    return given(thing("Service", name, SYSTEM, spec=spec), address)


def given(service: Body, address: str) -> Body:
    """The Service with the address of its load balancer."""
    key = "ip" if re.fullmatch(r"[0-9.]+", address) else "hostname"
    return {**service, "status": {"loadBalancer": {"ingress": [{key: address}]}}}


def cacerts(root: Authority, name: str, key: KeyType = "P-256") -> Body:
    mine = root.issue(name, key=key)
    parts = {"ca-cert.pem": mine.cert_pem, "ca-key.pem": mine.key_pem, "root-cert.pem": root.cert_pem}
    parts["cert-chain.pem"] = pem(mine, root)
    return thing(
        "Secret", "cacerts", SYSTEM, data={key: base64.b64encode(data).decode() for key, data in parts.items()}
    )


def remote_secret(name: str, server: str = "") -> Body:
    """The Secret that `istioctl create-remote-secret` makes."""
    config = copy.deepcopy(CONFIG)
    config["clusters"][0]["cluster"]["server"] = server or f"https://{name}.example.com:6443"
    config["users"] = [{"name": name, "user": {"token": CANARY}}]
    data = {name: base64.b64encode(yaml.safe_dump(config).encode()).decode()}
    labels, notes = {"istio/multiCluster": "true"}, {"networking.istio.io/cluster": name}
    return thing(
        "Secret", f"istio-remote-secret-{name}", SYSTEM, metadata={"labels": labels, "annotations": notes}, data=data
    )


def policy(mode: str) -> Body:
    return thing("PeerAuthentication", "default", SYSTEM, "security.istio.io/v1", spec={"mtls": {"mode": mode}})


def system(network: str = "", controlled: str = "") -> Body:
    labels = {"topology.istio.io/network": network} if network else {}
    return namespace(SYSTEM, labels, {"topology.istio.io/controlPlaneClusters": controlled} if controlled else None)


def gateway_chart(version: str, network: str, address: str) -> list[Body]:
    bodies = rendered(
        version, "gateway", {"networkGateway": network, "name": "istio-eastwestgateway"}, "istio-eastwestgateway"
    )
    return [given(body, address) if body["kind"] == "Service" else body for body in bodies]


CROSS = {
    "selector": {"istio": "eastwestgateway"},
    "servers": [
        {
            "hosts": ["*.local"],
            "port": {"name": "tls", "number": 15443, "protocol": "TLS"},
            "tls": {"mode": "AUTO_PASSTHROUGH"},
        }
    ],
}
"""samples/multicluster/expose-services.yaml"""


def cross_network() -> Body:
    return thing("Gateway", "cross-network-gateway", SYSTEM, "networking.istio.io/v1", spec=copy.deepcopy(CROSS))


def istiod_gateway() -> list[Body]:
    """samples/multicluster/expose-istiod.yaml"""
    networking = "networking.istio.io/v1"
    ports = (("tls-istiod", 15012), ("tls-istiodwebhook", 15017))
    servers = [
        {"port": {"name": name, "number": number, "protocol": "tls"}, "tls": {"mode": "PASSTHROUGH"}, "hosts": ["*"]}
        for name, number in ports
    ]
    routes = [
        {
            "match": [{"port": number, "sniHosts": ["*"]}],
            "route": [{"destination": {"host": f"istiod.{SYSTEM}.svc.cluster.local", "port": {"number": to}}}],
        }
        for number, to in ((15012, 15012), (15017, 443))
    ]
    return [
        thing(
            "Gateway",
            "istiod-gateway",
            SYSTEM,
            networking,
            spec={"selector": {"istio": "eastwestgateway"}, "servers": servers},
        ),
        thing(
            "VirtualService",
            "istiod-vs",
            SYSTEM,
            networking,
            spec={"hosts": ["*"], "gateways": ["istiod-gateway"], "tls": routes},
        ),
    ]


class Mesh:
    """Makes the clusters of one mesh of istiod, one by one. `extra` is added to the values of every control plane."""

    def __init__(
        self, version: str, mesh_id: str = "bookstore", trust: str = "cluster.local", mode: str = "STRICT", **extra: Any
    ) -> None:
        self.version, self.mode, self.root = version, mode, make_root()
        self.mesh_id, self.trust, self.extra = mesh_id, trust, extra
        self.clusters: Clusters = {}

    def values(self, name: str, network: str, more: Mapping[str, Any]) -> Body:
        world = {"meshID": self.mesh_id, "multiCluster": {"clusterName": name}, "network": network}
        world |= {"hub": "docker.io/istio", "tag": self.version}
        own = {"global": world, "meshConfig": {"trustDomain": self.trust}}
        return merged(merged(own, self.extra), more)

    def primary(self, name: str, cidr: str, remotes: tuple[str, ...], network: str = "", **more: Any) -> list[Body]:
        bodies = [system(network), *nodes(cidr), cacerts(self.root, name), *map(remote_secret, remotes)]
        bodies += rendered(self.version, "base", {"revision": self.extra.get("revision", "")})
        bodies += rendered(self.version, "istiod", self.values(name, network, more))
        self.clusters[name] = [*unique(bodies), policy(self.mode), *shop()]
        return self.clusters[name]

    def remote(self, name: str, cidr: str, primary: str, address: str, network: str = "", **more: Any) -> list[Body]:
        path = f"/inject/cluster/{name}" + (f"/net/{network}" if network else "")
        own = {"profile": "remote", "istiodRemote": {"injectionPath": path}, "global": {"remotePilotAddress": address}}
        bodies = [system(network, primary), *nodes(cidr)]
        bodies += rendered(self.version, "base", {"profile": "remote", "revision": self.extra.get("revision", "")})
        bodies += rendered(self.version, "istiod", self.values(name, network, merged(own, more)))
        self.clusters[name] = [*unique(bodies), *shop()]
        return self.clusters[name]


def unique(bodies: list[Body]) -> list[Body]:
    found = {(body["kind"], body["metadata"]["name"], body["metadata"].get("namespace")): body for body in bodies}
    return list(found.values())


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> Body:
    both = dict(one)
    for key, value in other.items():
        both[key] = merged(both[key], value) if isinstance(both.get(key), dict) and isinstance(value, dict) else value
    return both


def shop() -> list[Body]:
    """An empty namespace of the mesh."""
    return [namespace("shop", {"istio-injection": "enabled"})]

"""Makes each topology of docs/topologies.md as a running mesh, set up like in Istio's guides."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import yaml

from support.credentials import CANARY, CONFIG
from support.running_meshes import (
    SYSTEM,
    Clusters,
    Mesh,
    balancer,
    cacerts,
    cross_network,
    gateway_chart,
    istiod_gateway,
    merged,
    namespace,
    nodes,
    policy,
    remote_secret,
    rendered,
    shop,
    system,
    thing,
    unique,
)
from support.throwaway import make_root

EXTERNAL: dict[str, Any] = {"global": {"externalIstiod": True}}
"""The values of a primary that also controls other clusters."""


def one_network(version: str) -> Clusters:
    mesh = Mesh(version)
    mesh.primary("hub", "10.10.0.0/16", ("edge-1",), **EXTERNAL)
    mesh.clusters["hub"].append(balancer("istiod-lb", {"app": "istiod"}, "10.0.5.20", [15012, 15017]))
    mesh.remote("edge-1", "10.11.0.0/16", "hub", "10.0.5.20")
    return mesh.clusters


def several_networks(version: str) -> Clusters:
    mesh = Mesh(version)
    mesh.primary("hub", "10.10.0.0/16", ("edge-1", "edge-2"), "corp", **EXTERNAL)
    mesh.clusters["hub"] += [*gateway_chart(version, "corp", "203.0.113.7"), cross_network(), *istiod_gateway()]
    mesh.remote("edge-1", "10.11.0.0/16", "hub", "203.0.113.7", "corp")
    mesh.remote("edge-2", "10.10.0.0/16", "hub", "203.0.113.7", "cloud")
    mesh.clusters["edge-2"] += gateway_chart(version, "cloud", "203.0.113.8")
    return mesh.clusters


def primaries(version: str) -> Clusters:
    mesh = Mesh(version, trust="shop.local")
    mesh.primary("east", "10.10.0.0/16", ("west",))
    mesh.primary("west", "10.11.0.0/16", ("east",))
    return mesh.clusters


def primaries_in_networks(version: str) -> Clusters:
    mesh = Mesh(version, mode="PERMISSIVE")
    for name, other, network, address in (
        ("east", "west", "corp", "203.0.113.7"),
        ("west", "east", "cloud", "mesh-0123.elb.eu-west-1.amazonaws.com"),
    ):
        mesh.primary(name, "10.10.0.0/16", (other,), network)
        mesh.clusters[name] += [*gateway_chart(version, network, address), cross_network()]
    return mesh.clusters


def ambient(version: str) -> Clusters:
    mesh = Mesh(version, profile="ambient", env={"AMBIENT_ENABLE_MULTI_NETWORK": "true"})
    for name, other, network, address in (
        ("east", "west", "net-east", "203.0.113.7"),
        ("west", "east", "net-west", "203.0.113.8"),
    ):
        mesh.primary(name, "10.10.0.0/16", (other,), network)
        labels = {"istio.io/expose-istiod": "15012", "topology.istio.io/network": network}
        spec = {
            "gatewayClassName": "istio-east-west",
            "listeners": [
                {
                    "name": "mesh",
                    "port": 15008,
                    "protocol": "HBONE",
                    "tls": {"mode": "Terminate", "options": {"gateway.istio.io/tls-terminate-mode": "ISTIO_MUTUAL"}},
                }
            ],
        }
        status = {"addresses": [{"type": "IPAddress", "value": address}]}
        gateway = thing(
            "Gateway",
            "istio-eastwestgateway",
            SYSTEM,
            "gateway.networking.k8s.io/v1",
            metadata={"labels": labels},
            spec=spec,
            status=status,
        )
        made = {"gateway.networking.k8s.io/gateway-name": "istio-eastwestgateway"}
        service = balancer("istio-eastwestgateway", made, address, [15008])
        service["metadata"]["labels"] = {**made, "topology.istio.io/network": network}
        mesh.clusters[name] += [gateway, service]
        mesh.clusters[name] = [body for body in mesh.clusters[name] if body["metadata"]["name"] != "shop"]
        mesh.clusters[name].append(namespace("shop", {"istio.io/dataplane-mode": "ambient"}))
    return mesh.clusters


def remotes_of_their_own(version: str) -> Clusters:
    mesh = Mesh(version)
    mesh.primary("hub", "10.10.0.0/16", ("edge-1", "hub-2", "edge-2"), "corp", **EXTERNAL)
    mesh.clusters["hub"] += [*gateway_chart(version, "corp", "203.0.113.7"), cross_network()]
    mesh.clusters["hub"].append(balancer("istiod-lb", {"app": "istiod"}, "10.0.5.20", [15012, 15017]))
    mesh.primary("hub-2", "10.10.0.0/16", ("edge-1", "hub", "edge-2"), "cloud", **EXTERNAL)
    mesh.clusters["hub-2"] += [*gateway_chart(version, "cloud", "203.0.113.8"), cross_network(), *istiod_gateway()]
    mesh.remote("edge-1", "10.11.0.0/16", "hub", "10.0.5.20", "corp")
    mesh.remote("edge-2", "10.10.0.0/16", "hub-2", "203.0.113.8", "lab")
    mesh.clusters["edge-2"] += gateway_chart(version, "lab", "203.0.113.9")
    return mesh.clusters


def external(version: str) -> Clusters:
    """An external control plane as in Istio's guide: istiod in a namespace of an ingress gateway's cluster."""
    mesh = Mesh(version)
    control = merged(
        {"global": {"externalIstiod": True, "configCluster": False, "remotePilotAddress": "istiod.example.com"}},
        {"env": {"SHARED_MESH_CONFIG": "istio"}, "global": {"operatorManageWebhooks": True}},
    )
    bodies = rendered(version, "istiod", mesh.values("edge-1", "", control))
    bodies += [system(), *nodes("10.9.0.0/16"), cacerts(mesh.root, "control"), remote_secret("edge-2")]
    config = yaml.safe_dump({**CONFIG, "users": [{"name": "istiod", "user": {"token": CANARY}}]})
    config = config.replace("https://10.1.0.10:6443", "https://edge-1.example.com:6443")
    data = {"config": base64.b64encode(config.encode()).decode()}
    bodies.append(thing("Secret", "istio-kubeconfig", SYSTEM, data=data))
    bodies.append(balancer("istio-ingressgateway", {"istio": "ingressgateway"}, "istiod.example.com", [15012, 15017]))
    routes = istiod_gateway()
    routes[0]["spec"]["selector"] = {"istio": "ingressgateway"}
    mesh.clusters["control"] = [*unique(bodies), *routes]
    url: dict[str, Any] = {
        "global": {"configCluster": True, "externalIstiod": True},
        "base": {"validationURL": "https://istiod.example.com:15017/validate"},
        "istiodRemote": {"injectionURL": "https://istiod.example.com:15017/inject/cluster/edge-1"},
    }
    mesh.remote("edge-1", "10.11.0.0/16", "edge-1", "istiod.example.com", **url)
    mesh.clusters["edge-1"].append(policy("STRICT"))
    url = {
        "global": {"externalIstiod": True},
        "istiodRemote": {"injectionURL": "https://istiod.example.com:15017/inject/cluster/edge-2"},
    }
    mesh.remote("edge-2", "10.12.0.0/16", "edge-1", "istiod.example.com", **url)
    return mesh.clusters


def revisions(version: str) -> Clusters:
    """A control plane with a revision, and the tag `prod` that points to it."""
    mesh = Mesh(version, trust="shop.local", revision="canary", revisionTags=["prod"])
    mesh.primary("hub", "10.10.0.0/16", ("edge-1",), **EXTERNAL)
    mesh.clusters["hub"].append(balancer("istiod-lb", {"app": "istiod"}, "10.0.5.20", [15012, 15017]))
    mesh.remote("edge-1", "10.11.0.0/16", "hub", "10.0.5.20")
    for bodies in mesh.clusters.values():
        bodies[:] = [body for body in bodies if body["metadata"]["name"] != "shop"]
        bodies.append(namespace("shop", {"istio.io/rev": "prod"}))
    return mesh.clusters


def canary(version: str) -> Clusters:
    """Two control planes in a cluster without an ID, in a network whose label isn't a valid name in mesh.yaml."""
    mesh = Mesh(version, revision="1-29-6", revisionTags=["prod"])
    own = {**EXTERNAL["global"], "multiCluster": {"clusterName": "Kubernetes"}}
    mesh.primary("hub", "10.10.0.0/16", ("edge.1",), "corp.1", **{"global": own})
    later = merged(mesh.values("hub", "corp.1", {"global": own}), {"revision": "canary", "revisionTags": []})
    mesh.clusters["hub"] += rendered(version, "istiod", merged(later, {"global": {"tag": "1.30.3"}}))
    mesh.clusters["hub"].append(balancer("istiod-lb", {"app": "istiod"}, "10.0.5.20", [15012, 15017]))
    mesh.remote("edge.1", "10.11.0.0/16", "Kubernetes", "10.0.5.20", "corp.1")
    for bodies in mesh.clusters.values():
        bodies[:] = [body for body in bodies if body["metadata"]["name"] != "shop"]
        bodies.append(namespace("shop", {"istio.io/rev": "prod"}))
    mesh.clusters["hub"].append(namespace("till", {"istio.io/rev": "canary"}))
    mesh.clusters["hub"] = unique(mesh.clusters["hub"])
    return mesh.clusters


def classic(version: str, strict: bool = True, plugged: bool = True) -> Clusters:
    """Istio 1.0 with handmade load balancers for Pilot, policy and telemetry."""
    own = {
        "global": {
            "hub": "docker.io/istio",
            "tag": version,
            "mtls": {"enabled": strict},
            "controlPlaneSecurityEnabled": strict,
        },
        "security": {"selfSigned": not plugged},
        "gateways": {"istio-egressgateway": {"enabled": False}},
        "prometheus": {"enabled": False},
    }
    root = make_root()
    hub = [
        body
        for body in rendered(version, "istio", own, classic=True)
        if body["apiVersion"] != "config.istio.io/v1alpha2"
    ]
    peers = [{"mtls": {} if strict else {"mode": "PERMISSIVE"}}]
    hub.append(thing("MeshPolicy", "default", "", "authentication.istio.io/v1alpha1", spec={"peers": peers}))
    if strict:
        networking = "networking.istio.io/v1alpha3"
        for name, host, mode in (
            ("default", "*.local", "ISTIO_MUTUAL"),
            ("api-server", "kubernetes.default.svc.cluster.local", "DISABLE"),
        ):
            spec = {"host": host, "trafficPolicy": {"tls": {"mode": mode}}}
            hub.append(thing("DestinationRule", name, SYSTEM, networking, spec=spec))
    hub += [system(), *nodes("10.10.0.0/16", "v1.13.12"), remote_secret("edge-1"), *shop()]
    hub.append(balancer("pilot-lb", {"istio": "pilot"}, "10.0.5.20", [15010, 15011]))
    hub.append(balancer("policy-lb", {"istio-mixer-type": "policy"}, "10.0.5.22", [15004]))
    hub.append(balancer("telemetry-lb", {"istio-mixer-type": "telemetry"}, "10.0.5.21", [15004]))
    told: dict[str, Any] = {
        "remotePilotAddress": "10.0.5.20",
        "remotePolicyAddress": "10.0.5.22",
        "remoteTelemetryAddress": "10.0.5.21",
    }
    told |= {"remotePilotCreateSvcEndpoint": True} if strict else {}
    edge = rendered(version, "istio-remote", merged(own, {"global": told}), classic=True)
    edge = [
        body
        for body in edge
        if not any(word in body["metadata"]["name"] for word in ("cleanup", "default", "api-server"))
    ]
    edge += [system(), *nodes("10.11.0.0/16", "v1.13.12"), *shop()]
    for name, bodies in (("hub", hub), ("edge-1", edge)):
        bodies += [cacerts(root, name, "RSA-2048")] if plugged else []
    return {"hub": hub, "edge-1": edge}


OF_ISTIOD: dict[str, Callable[[str], Clusters]] = {
    "one primary, one network": one_network,
    "one primary, several networks": several_networks,
    "several primaries, one network": primaries,
    "several primaries, several networks": primaries_in_networks,
    "ambient in several networks": ambient,
    "primaries with remotes of their own": remotes_of_their_own,
    "an external control plane": external,
    "revisions and tags": revisions,
    "a canary, and names of Istio's own": canary,
}
OF_CLASSIC: dict[str, Callable[[str], Clusters]] = {
    "classic, strict": classic,
    "classic, permissive": lambda version: classic(version, strict=False),
    "classic, by default": lambda version: classic(version, strict=False, plugged=False),
}

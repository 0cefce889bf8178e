"""The configuration of east-west gateways, which forward traffic to Services and to istiod.

The configuration is in the primary that controls the gateways, because istiod reads it only there. One object in the
primary configures the gateways of all its remotes; istiod would reject a second one as a duplicate. The user installs
the gateway's Deployment and Service.

With an external control plane, the configuration is in the config cluster. Its istiod is behind an ingress gateway in
istiod's own cluster, which another istiod controls.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from meshc.components import https_gateway
from meshc.components.contract import ISTIO, thing
from meshc.components.injection import service_name
from meshc.kube import LABEL
from meshc.mesh.east_west import SELECTOR
from meshc.mesh.hosts import ip_version

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan

XDS, WEBHOOK = 15012, 15017
_API = "networking.istio.io/v1"
_ANY = "*"
_LONGEST = 200


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """The Gateway between networks, and the route to istiod; nothing in remotes where no istiod reads configuration."""
    if cluster.gateway is None:
        return
    if cluster.gateway.network is not None and cluster.holds_config:
        yield from _between_networks(plan, cluster)
    if cluster.gateway.istiod:
        yield from _to_istiod(plan, cluster)


def _between_networks(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """A server for each port of gateways in this primary's clusters; it routes TLS by SNI and keeps it encrypted."""
    controlled = [one for one in plan.clusters if one is cluster or _controller(one) == _controller(cluster)]
    doors = {door for one in controlled if one.gateway for door in one.gateway.doors}
    for selector in sorted({door.selector for door in doors}):
        ports = sorted(door.port for door in doors if door.selector == selector)
        servers = [
            {
                "hosts": [_services(plan)],
                "port": {"name": "tls" if len(ports) == 1 else f"tls-{port}", "number": port, "protocol": "TLS"},
                "tls": {"mode": "AUTO_PASSTHROUGH"},
            }
            for port in ports
        ]
        spec = {"selector": dict(selector), "servers": servers}
        yield thing(_API, "Gateway", _name(dict(selector)), plan.istio_namespace, labels=ISTIO, spec=spec)


def _name(selector: Mapping[str, str]) -> str:
    """A stable name for each selector. Labels that don't fit into a name are distinguished by a digest."""
    if selector == SELECTOR:
        return "cross-network-gateway"
    told = "-".join(selector.values())
    if list(selector) == list(SELECTOR) and LABEL.fullmatch(told):
        return f"cross-network-gateway-{told}"
    spelled = re.sub(r"[^a-z0-9]+", "-", told.lower())[:_LONGEST].strip("-")
    digest = sha256(json.dumps(sorted(selector.items())).encode()).hexdigest()[:8]
    return "-".join(filter(None, ["cross-network-gateway", spelled, digest]))


def _services(plan: Plan) -> str:
    """A pattern for the names of all Services; for cluster.local as in Istio's own samples."""
    return "*.local" if plan.cluster_domain.endswith(".local") else f"*.{plan.cluster_domain}"


def _controller(cluster: ClusterPlan) -> str:
    return cluster.attachment.primary if cluster.attachment else cluster.name


def _to_istiod(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    if cluster.exposure and cluster.exposure.https:
        yield from https_gateway.lower(plan, cluster, cluster.exposure, cluster.exposure.https)
        return
    names = {"tls-istiod": XDS, "tls-istiodwebhook": WEBHOOK}
    servers = [
        {
            "hosts": [_ANY],
            "port": {"name": name, "number": port, "protocol": "TLS"},
            "tls": {"mode": "PASSTHROUGH"},
        }
        for name, port in names.items()
    ]
    selector = cluster.exposure.selector if cluster.exposure else SELECTOR
    spec: dict[str, Any] = {"selector": dict(selector), "servers": servers}
    yield thing(_API, "Gateway", "istiod-gateway", plan.istio_namespace, labels=ISTIO, spec=spec)
    further = [route for plane in cluster.planes[1:] for route in _routes(plan, plane, _called(plan, plane))]
    routes = [*further, *_routes(plan, cluster, [_ANY])]
    spec = {"gateways": ["istiod-gateway"], "hosts": [_ANY], "tls": routes}
    yield thing(_API, "VirtualService", "istiod-vs", plan.istio_namespace, labels=ISTIO, spec=spec)


def _routes(plan: Plan, plane: ClusterPlan, names: list[str]) -> list[dict[str, Any]]:
    """The routes to the istiod of a revision, for clients that call it by one of these names."""
    host = f"{service_name(plane.revision)}.{plan.istio_namespace}.svc.{plan.cluster_domain}"
    return [
        {
            "match": [{"port": port, "sniHosts": names}],
            "route": [{"destination": {"host": host, "port": {"number": inside}}}],
        }
        for port, inside in ((XDS, XDS), (WEBHOOK, 443))
    ]


def _called(plan: Plan, plane: ClusterPlan) -> list[str]:
    """The names by which sidecars and API servers of remotes call a further istiod: its Service, and its own host."""
    service = f"{service_name(plane.revision)}.{plan.istio_namespace}.svc"
    own = plane.exposure.addresses["istiod"] if plane.exposure else ""
    return [service, f"{service}.{plan.cluster_domain}", *([own] if own and not ip_version(own) else [])]

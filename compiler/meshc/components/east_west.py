"""The configuration of east-west gateways, in the primary that controls them: they pass traffic to services and istiod.

The gateway's own Deployment and Service belong to the user's installation. Its configuration is read from the primary
only, so one object there is for the gateways of all its remotes; a second one would be refused as a duplicate. For an
external control plane the configuration is in the config cluster; the way to its istiod leads through an ingress
gateway beside it, which another istiod there looks after.
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
    """The Gateway between networks, and the way to istiod; nothing in a remote whose configuration nobody reads."""
    if cluster.gateway is None:
        return
    if cluster.gateway.network is not None and cluster.holds_config:
        yield from _between_networks(plan, cluster)
    if cluster.gateway.istiod:
        yield from _to_istiod(plan, cluster)


def _between_networks(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """A server for each port that gateways of this primary's clusters have; TLS goes on unopened, by its SNI."""
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
    """One for each kind of gateway pods, whichever others there are. A digest tells labels that no name spells."""
    if selector == SELECTOR:
        return "cross-network-gateway"
    told = "-".join(selector.values())
    if list(selector) == list(SELECTOR) and LABEL.fullmatch(told):
        return f"cross-network-gateway-{told}"
    spelled = re.sub(r"[^a-z0-9]+", "-", told.lower())[:_LONGEST].strip("-")
    digest = sha256(json.dumps(sorted(selector.items())).encode()).hexdigest()[:8]
    return "-".join(filter(None, ["cross-network-gateway", spelled, digest]))


def _services(plan: Plan) -> str:
    """The names of all Services: of cluster.local as Istio's own samples write it."""
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
    """The ways to the istiod of a revision, for clients that call it by one of these names."""
    host = f"{service_name(plane.revision)}.{plan.istio_namespace}.svc.{plan.cluster_domain}"
    return [
        {
            "match": [{"port": port, "sniHosts": names}],
            "route": [{"destination": {"host": host, "port": {"number": inside}}}],
        }
        for port, inside in ((XDS, XDS), (WEBHOOK, 443))
    ]


def _called(plan: Plan, plane: ClusterPlan) -> list[str]:
    """The names by which sidecars and API servers of remotes call a further istiod: its Service's, or its own host."""
    service = f"{service_name(plane.revision)}.{plan.istio_namespace}.svc"
    own = plane.exposure.addresses["istiod"] if plane.exposure else ""
    return [service, f"{service}.{plan.cluster_domain}", *([own] if own and not ip_version(own) else [])]

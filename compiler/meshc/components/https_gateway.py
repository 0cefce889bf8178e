"""Exposes an external istiod through a gateway with its own certificate, which terminates TLS and opens a new TLS
connection to istiod.

This follows Istio's page on external control planes, except that the gateway verifies istiod's certificate with the
mesh's root. Since 1.20 it would otherwise use public roots, which don't include the mesh's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from meshc.components.contract import ISTIO, thing
from meshc.components.injection import service_name

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.ways import Exposure, HttpsPlan

_API = "networking.istio.io/v1"
_PORTS = {"https-xds": (15012, 15012), "https-webhook": (15017, 443)}
"""The gateway's port, and the port of istiod's Service behind it."""


def lower(plan: Plan, cluster: ClusterPlan, exposure: Exposure, https: HttpsPlan) -> Iterable[Body]:
    """The Gateway with the certificate, its routes, and the DestinationRule for its connections to istiod."""
    namespace, hosts = plan.istio_namespace, list(https.hosts)
    servers = [
        {
            "hosts": hosts,
            "port": {"name": name, "number": port, "protocol": "HTTPS"},
            "tls": {"mode": "SIMPLE", "credentialName": https.secret},
        }
        for name, (port, _) in _PORTS.items()
    ]
    spec: dict[str, Any] = {"selector": dict(exposure.selector), "servers": servers}
    yield thing(_API, "Gateway", "istiod-gateway", namespace, labels=ISTIO, spec=spec)
    service = f"{service_name(cluster.revision)}.{namespace}.svc"
    routes = [
        {
            "match": [{"port": port}],
            "route": [{"destination": {"host": f"{service}.{plan.cluster_domain}", "port": {"number": behind}}}],
        }
        for port, behind in _PORTS.values()
    ]
    spec = {"gateways": ["istiod-gateway"], "hosts": hosts, "http": routes}
    yield thing(_API, "VirtualService", "istiod-vs", namespace, labels=ISTIO, spec=spec)
    tls = {"mode": "SIMPLE", "credentialName": https.root_secret, "sni": service, "subjectAltNames": [service]}
    ports = [
        # sidecars use gRPC; without this, the gateway would use HTTP/1.1 to istiod
        {"port": {"number": 15012}, "tls": tls, "connectionPool": {"http": {"h2UpgradePolicy": "UPGRADE"}}},
        {"port": {"number": 443}, "tls": tls},
    ]
    spec = {"host": f"{service}.{plan.cluster_domain}", "trafficPolicy": {"portLevelSettings": ports}}
    yield thing(_API, "DestinationRule", "istiod", namespace, labels=ISTIO, spec=spec)

"""Computes the Helm values that make chart gateway the east-west gateway of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from meshc.mesh.hosts import ip_version
from meshc.plan.namespaces import NETWORK

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan
    from meshc.plan.ways import GatewayPlan

_XDS, _WEBHOOK, _STATUS, _BETWEEN = 15012, 15017, 15021, 15443


def east_west_values(cluster: ClusterPlan, own: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an east-west gateway, besides those of all gateways; empty if the cluster needs no such gateway.

    loadBalancerIP is only set if the user's values in `own` keep the Service's type LoadBalancer.
    """
    gateway = cluster.gateway
    if gateway is None or cluster.is_external:
        return {}
    found = _network(cluster, gateway)
    if not gateway.rendered and not gateway.service.of_network:
        return {"service": {**found["service"], "type": "ClusterIP"}}  # meshc's Service has istiod's address
    kind = own["service"].get("type") if isinstance(own.get("service"), Mapping) else None
    if ip_version(gateway.service.address) and kind in (None, "LoadBalancer"):
        found.setdefault("service", {})["loadBalancerIP"] = gateway.service.address
    return found


def _network(cluster: ClusterPlan, gateway: GatewayPlan) -> dict[str, Any]:
    """The chart's networkGateway if the network uses its fixed ports; otherwise the values that it sets."""
    of_network = cluster.network_label if gateway.network and gateway.service.of_network else None
    webhook = cluster.exposure.webhook_port if gateway.istiod and cluster.exposure else _WEBHOOK
    if of_network and (gateway.port, webhook) == (_BETWEEN, _WEBHOOK):
        return {"networkGateway": of_network}
    ports = [_port("status-port", _STATUS)]
    found: dict[str, Any] = {"service": {"ports": ports}}
    if of_network:
        ports.append(_port("tls", gateway.port))
        labels = {NETWORK: of_network, "networking.istio.io/gatewayPort": str(gateway.port)}
        found |= {"labels": labels, "env": {"ISTIO_META_REQUESTED_NETWORK_VIEW": of_network}}
    if gateway.istiod:
        ports += [_port("tls-istiod", _XDS), _port("tls-webhook", webhook, _WEBHOOK)]
    return found


def _port(name: str, port: int, target: int | None = None) -> dict[str, Any]:
    return {"name": name, "port": port, "protocol": "TCP", "targetPort": target or port}

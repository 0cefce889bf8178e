"""gateways turns the gateway that a cluster has to have into the Helm values of Istio's chart for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshc.mesh.hosts import ip_version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshc.plan.ir import ClusterPlan, GatewayPlan, Plan

EAST_WEST = "istio-eastwestgateway"
"""The release of the chart that makes an east-west gateway: its pods get `istio: eastwestgateway`, less the prefix."""

_TLS, _XDS, _WEBHOOK, _STATUS = 15443, 15012, 15017, 15021


def gateway_values(plan: Plan, cluster: ClusterPlan, release: str) -> dict[str, Any]:
    """The values that make a release what the cluster needs; of a gateway of the user's own, when it is applied."""
    values: dict[str, Any] = {}
    if plan.delivery and plan.delivery.engine == "argo-cd":
        # its image is filled in by injection, and a pod from before there was a webhook never gets one
        values["annotations"] = {"argocd.argoproj.io/sync-wave": "1"}
    if release != EAST_WEST or cluster.gateway is None or cluster.is_external:
        return values
    return {**values, **_of_network(plan, cluster, cluster.gateway)}


def _of_network(plan: Plan, cluster: ClusterPlan, gateway: GatewayPlan) -> dict[str, Any]:
    """A word of the chart's sets labels, environment and ports for a network; for another port all are spelt out.

    With one network nothing goes through it but the way to istiod, and that by a Service of meshc's.
    """
    if gateway.network is None:
        return {"service": {"type": "ClusterIP", "ports": list(_ports(None))}}
    address = {"loadBalancerIP": gateway.host} if _is_its_own(plan, cluster, gateway) else {}
    if gateway.port == _TLS:
        return {"networkGateway": gateway.network, "service": address}
    return {
        "labels": {"topology.istio.io/network": gateway.network, "networking.istio.io/gatewayPort": str(gateway.port)},
        "env": {"ISTIO_META_REQUESTED_NETWORK_VIEW": gateway.network},
        "service": {**address, "ports": list(_ports(gateway.port))},
    }


def _ports(tls: int | None) -> Iterable[dict[str, Any]]:
    """Those of `networkGateway`, as all versions of the chart have them, in its order."""
    for name, port in (("status-port", _STATUS), ("tls", tls), ("tls-istiod", _XDS), ("tls-webhook", _WEBHOOK)):
        if port is not None:
            yield {"name": name, "port": port, "protocol": "TCP", "targetPort": port}


def _is_its_own(plan: Plan, cluster: ClusterPlan, gateway: GatewayPlan) -> bool:
    """Whether the network's address can be asked for here: two Services can't both have it."""
    if not gateway.host or not ip_version(gateway.host):
        return False
    homes = [one for one in plan.clusters if one.network == cluster.network and one.gateway]
    rendered = [one for one in homes if any(chart.release == EAST_WEST for chart in one.charts)]
    return (rendered or homes) == [cluster]

"""The gateway by which ambient pods of other networks come in: of the Gateway API, so that istiod makes its pods.

Its class is istiod's own, with AMBIENT_ENABLE_MULTI_NETWORK (1.27 and later): Deployment and Service get the Gateway's
name. That isn't the name of the gateway of sidecars, as a cluster may have both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from meshc.components.contract import ISTIO, thing
from meshc.plan.make import NETWORK

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan

HBONE = 15008


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """The Gateway; nothing where no ambient pods are, or none in other networks."""
    ambient = cluster.ambient
    if ambient is None or ambient.network is None:
        return
    listener = {
        "name": "mesh",
        "port": HBONE,
        "protocol": "HBONE",
        "tls": {"mode": "Terminate", "options": {"gateway.istio.io/tls-terminate-mode": "ISTIO_MUTUAL"}},
    }
    spec: dict[str, Any] = {"gatewayClassName": "istio-east-west", "listeners": [listener]}
    if ambient.address:
        spec["addresses"] = [{"type": "IPAddress", "value": ambient.address}]
    labels = {**ISTIO, NETWORK: ambient.network}
    if cluster.revision != "default":
        labels["istio.io/rev"] = cluster.revision
    yield thing(
        "gateway.networking.k8s.io/v1",
        "Gateway",
        "ambient-eastwestgateway",
        plan.istio_namespace,
        labels=labels,
        spec=spec,
    )

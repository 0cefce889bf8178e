"""The east-west gateway of ambient: a Gateway API Gateway, for which istiod makes the Deployment and the Service.

Gateways for sidecars have other names, so that both can run side by side while a mesh migrates to ambient.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from meshc.components.contract import ISTIO, thing
from meshc.mesh.east_west import HBONE
from meshc.plan.namespaces import NETWORK, REVISION

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan

NAME = "ambient-eastwestgateway"


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """The Gateway for calls from other networks; nothing if the mesh has no ambient, or only one network."""
    if cluster.ambient is None or cluster.ambient.network is None or cluster.network_label is None:
        return
    labels = {**ISTIO, NETWORK: cluster.network_label}
    if cluster.revision != "default":
        labels[REVISION] = cluster.revision
    listener = {
        "name": "mesh",
        "port": HBONE,
        "protocol": "HBONE",
        # the tunnel to the gateway and the connection inside the tunnel both use mutual TLS
        "tls": {"mode": "Terminate", "options": {"gateway.istio.io/tls-terminate-mode": "ISTIO_MUTUAL"}},
    }
    spec: dict[str, Any] = {"gatewayClassName": "istio-east-west", "listeners": [listener]}
    if cluster.ambient.address:
        spec["addresses"] = [{"type": "IPAddress", "value": cluster.ambient.address}]
    yield thing("gateway.networking.k8s.io/v1", "Gateway", NAME, plan.istio_namespace, labels=labels, spec=spec)

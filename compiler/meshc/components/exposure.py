"""Exposes a primary's control plane to its remotes: Services, and the routes of a gateway.

The Services are additional to Istio's own, and have exactly the ports that remotes use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from meshc.components import classic_exposure
from meshc.components.contract import load_balancer
from meshc.components.east_west import WEBHOOK, XDS
from meshc.components.injection import service_name
from meshc.mesh.revisions import DEFAULT

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.ways import Exposure, GatewayPlan


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """The objects that expose a primary; nothing for pod addresses, or if the user exposes it."""
    exposure = cluster.exposure
    if exposure is None or exposure.kind == "pod-ip":
        return ()
    if plan.generation == "classic":
        return classic_exposure.lower(plan, exposure)
    return _of_planes(plan, cluster)


def _of_planes(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """A load balancer for each istiod; with a gateway, one load balancer for all."""
    for plane in cluster.planes:
        if plane.exposure and (plane.exposure.kind != "gateway" or plane is cluster):
            yield from _istiod(plan, plane, plane.exposure)


def _has_service(gateway: GatewayPlan) -> tuple[str | None, ...]:
    """The addresses for which the gateway has a Service already, from the user or from its chart."""
    return (gateway.host, gateway.service.address) if gateway.rendered else (gateway.host,)


def _istiod(plan: Plan, cluster: ClusterPlan, exposure: Exposure) -> Iterable[Body]:
    """A load balancer for istiod, or for the gateway if none of the gateway's Services has the address."""
    address = exposure.addresses["istiod"]
    own = cluster.is_external or (cluster.gateway is not None and address in _has_service(cluster.gateway))
    if exposure.kind == "gateway" and own:
        return
    pods: Mapping[str, str] = {"app": "istiod", "istio.io/rev": cluster.revision}
    ports: list[dict[str, Any]] = [
        {"name": "tcp-istiod", "port": XDS, "protocol": "TCP", "targetPort": XDS},
        {"name": "tcp-webhook", "port": exposure.webhook_port, "protocol": "TCP", "targetPort": WEBHOOK},
    ]
    # the gateway and its address stay the same when the control plane's revision changes
    name = service_name(DEFAULT if exposure.kind == "gateway" else cluster.revision)
    yield load_balancer(
        f"{name}-exposed",
        plan.istio_namespace,
        (exposure.selector if exposure.kind == "gateway" else pods, ports),
        address,
        app="istiod",
    )

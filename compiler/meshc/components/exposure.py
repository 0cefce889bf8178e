"""Exposes a primary's control plane to its remotes: Services, and the routes of a gateway.

The Services are extra ones beside Istio's own, with exactly the ports that sidecars use from outside.
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
    """The objects of the primary's exposure; nothing for addresses of pods, or for the user's own solution."""
    exposure = cluster.exposure
    if exposure is None or exposure.kind == "pod-ip":
        return ()
    if plan.generation == "classic":
        return classic_exposure.lower(plan, exposure)
    return _of_planes(plan, cluster)


def _of_planes(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """A load balancer for each istiod; before a gateway there is one for all."""
    for plane in cluster.planes:
        if plane.exposure and (plane.exposure.kind != "gateway" or plane is cluster):
            yield from _istiod(plan, plane, plane.exposure)


def _has_service(gateway: GatewayPlan) -> tuple[str | None, ...]:
    """The addresses at which a Service before the gateway is made elsewhere: the user's own, or its chart's."""
    return (gateway.host, gateway.service.address) if gateway.rendered else (gateway.host,)


def _istiod(plan: Plan, cluster: ClusterPlan, exposure: Exposure) -> Iterable[Body]:
    """A load balancer before istiod, or before a gateway that isn't reached by its own Service at that address."""
    address = exposure.addresses["istiod"]
    own = cluster.is_external or (cluster.gateway is not None and address in _has_service(cluster.gateway))
    if exposure.kind == "gateway" and own:
        return
    pods: Mapping[str, str] = {"app": "istiod", "istio.io/rev": cluster.revision}
    ports: list[dict[str, Any]] = [
        {"name": "tcp-istiod", "port": XDS, "protocol": "TCP", "targetPort": XDS},
        {"name": "tcp-webhook", "port": exposure.webhook_port, "protocol": "TCP", "targetPort": WEBHOOK},
    ]
    # a gateway outlives the control plane before which it stands, and so does its address
    name = service_name(DEFAULT if exposure.kind == "gateway" else cluster.revision)
    yield load_balancer(
        f"{name}-exposed",
        plan.istio_namespace,
        (exposure.selector if exposure.kind == "gateway" else pods, ports),
        address,
        app="istiod",
    )

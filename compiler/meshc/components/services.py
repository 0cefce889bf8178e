"""Service copies: the names of services that run in other clusters, so that clients can resolve them here.

A copy has no selector. No traffic goes to the copy's own address: sidecars get the endpoints in other clusters from the
control plane. A selector would only add local pods that have the same labels by chance.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from meshc.components.contract import OURS, thing

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.offers import Port, ServiceCopy


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """The copies that this cluster doesn't share with others; shared copies are in bases."""
    del plan
    return (copy_of(service) for service in cluster.copies)


def copy_of(service: ServiceCopy) -> Body:
    """The Service object of a copy."""
    spec: dict[str, Any] = {"type": "ExternalName" if service.external_name else "ClusterIP"}
    if service.ports:
        spec["ports"] = [_port(port) for port in service.ports]
    if service.external_name:
        spec["externalName"] = service.external_name
    if service.headless:
        spec["clusterIP"] = "None"
    if service.publish_not_ready:
        spec["publishNotReadyAddresses"] = True
    if service.traffic_distribution:
        spec["trafficDistribution"] = service.traffic_distribution
    if service.node_local:
        spec["internalTrafficPolicy"] = "Local"
    if service.dual_stack:
        spec["ipFamilyPolicy"] = "PreferDualStack"  # a cluster with one IP family accepts it too
    labels = {**service.labels, **OURS}
    return thing(
        "v1", "Service", service.name, service.namespace, labels=labels, annotations=service.annotations, spec=spec
    )


def _port(port: Port) -> dict[str, Any]:
    fields = {"name": port.name, "port": port.port, "protocol": port.protocol, "appProtocol": port.app_protocol}
    return {key: value for key, value in fields.items() if value}

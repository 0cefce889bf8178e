"""Finds the addresses at which remotes reach a live control plane, from its pods and Services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from meshc.capture.recorded import GATEWAY
from meshc.capture.resource import core
from meshc.kube import as_list, at
from meshc.mesh.east_west import SELECTOR

if TYPE_CHECKING:
    from meshc.capture.ask import Api
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan


@dataclass(frozen=True, slots=True)
class Found:
    """The addresses of a part, in order. If there are none, `missing` says why."""

    addresses: tuple[str, ...]
    missing: str = ""


def addresses(api: Api, plan: Plan, cluster: ClusterPlan) -> dict[str, Found]:
    """The addresses of each part of a cluster's control plane and of its east-west gateway. Raises AskError.

    The plan says how a control plane is exposed. If mesh.yaml leaves that to the user, meshc looks for a Service of
    type LoadBalancer.
    """
    services = api.listed(core("services", plan.istio_namespace))
    doors = cluster.gateway.doors if cluster.gateway else ()
    east_west = dict(doors[0].selector) if doors else SELECTOR
    gateway = {GATEWAY: of_services(services, east_west)} if cluster.gateway and not cluster.is_external else {}
    if cluster.attachment is not None:
        return gateway
    parts = {"istiod": _istiod(cluster)} if plan.generation.has_revisions else plan.generation.labels
    kind = exposure_of(cluster)
    if kind == "pod-ip":
        pods = api.listed(core("pods", plan.istio_namespace))
        return {part: _of_pods(pods, labels) for part, labels in parts.items()} | gateway
    if kind == "gateway" and cluster.exposure:
        return dict.fromkeys(parts, of_services(services, cluster.exposure.selector)) | gateway
    return {part: of_services(services, labels) for part, labels in parts.items()} | gateway


def exposure_of(cluster: ClusterPlan) -> Literal["pod-ip", "load-balancer", "gateway"]:
    """How to look for the addresses of a control plane."""
    return cluster.exposure.kind if cluster.exposure else "load-balancer"


def chosen(found: Found, recorded: str | None) -> str | None:
    """The address to write. The recorded address stays if it is still one of the found addresses, because any of them
    works."""
    return recorded if recorded in found.addresses else next(iter(found.addresses), None)


def _istiod(cluster: ClusterPlan) -> Mapping[str, str]:
    revision = {} if cluster.revision == "default" else {"istio.io/rev": cluster.revision}
    return {"app": "istiod", **revision}


def _of_pods(pods: list[Body], labels: Mapping[str, str]) -> Found:
    mine = [pod for pod in pods if _holds(at(pod, "metadata", "labels"), labels)]
    ready = [pod for pod in mine if is_ready(pod)]
    found = sorted({str(at(pod, "status", "podIP")) for pod in ready if at(pod, "status", "podIP")})
    return Found(tuple(found), "" if found else f"no pod with {_shown(labels)} is ready")


def of_services(services: list[Body], labels: Mapping[str, str]) -> Found:
    """The addresses of load balancers. Any Service that selects the pods counts, because people choose its name
    freely."""
    mine = [
        one
        for one in services
        if at(one, "spec", "type") == "LoadBalancer" and _holds(at(one, "spec", "selector"), labels)
    ]
    found: set[str] = set()
    for one in mine:
        for entry in as_list(at(one, "status", "loadBalancer", "ingress")):
            address = (entry.get("ip") or entry.get("hostname")) if isinstance(entry, dict) else None
            found |= {address} if isinstance(address, str) else set()
    if not mine:
        return Found((), f"no Service of type LoadBalancer selects {_shown(labels)}")
    return Found(tuple(sorted(found)), "" if found else "its load balancer has no address yet")


def is_ready(pod: Body) -> bool:
    """True if a pod is ready."""
    conditions = as_list(at(pod, "status", "conditions"))
    said = {one.get("type"): one.get("status") for one in conditions if isinstance(one, dict)}
    return said.get("Ready") == "True" and at(pod, "metadata", "deletionTimestamp") is None


def _holds(labels: Any, wanted: Mapping[str, str]) -> bool:
    return isinstance(labels, dict) and all(labels.get(key) == value for key, value in wanted.items())


def _shown(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items())

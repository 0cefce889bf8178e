"""Exposes classic Istio's control plane to remotes: a load balancer for each component, or one for the ingress gateway.

With a gateway, each component gets another Service as the target of its route. Istio's chart has DestinationRules for
istio-policy and istio-telemetry, with which the gateway would encrypt connections that sidecars already encrypted.
Sidecars call policy and telemetry on the same port, 15004, so telemetry uses another port of the same gateway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from meshc.components.contract import ISTIO, load_balancer, thing

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import Plan
    from meshc.plan.ways import Exposure

_API = "networking.istio.io/v1alpha3"
_GATEWAY = "control-plane-gateway"
_PODS: Mapping[str, Mapping[str, str]] = {
    "pilot": {"istio": "pilot"},
    "policy": {"istio": "mixer", "istio-mixer-type": "policy"},
    "telemetry": {"istio": "mixer", "istio-mixer-type": "telemetry"},
    "zipkin": {"app": "jaeger"},
}
_NAMES = {"pilot": "istio-pilot", "policy": "istio-policy", "telemetry": "istio-telemetry", "zipkin": "zipkin"}
_BEHIND = {"telemetry": 15104}
"""The gateway's port for a component if another component already uses the component's own port."""


def lower(plan: Plan, exposure: Exposure) -> Iterable[Body]:
    """The Services of the components; for a gateway also load balancers, listeners, routes and DestinationRules."""
    namespace = plan.istio_namespace
    ports = {part: _port(plan, part) for part in exposure.addresses}
    if exposure.kind == "load-balancer":
        for part, address in exposure.addresses.items():
            yield load_balancer(_exposed(part), namespace, (_PODS[part], [_entry(part, ports[part])]), address)
        return
    for part, port in ports.items():
        spec = {"ports": [_entry(part, port)], "selector": dict(_PODS[part])}
        yield thing("v1", "Service", _exposed(part), namespace, labels=ISTIO, spec=spec)
    yield from _gateway(namespace, exposure, ports)


def _port(plan: Plan, part: str) -> int:
    """The port that a sidecar calls. Only Pilot's port depends on control-plane TLS."""
    return {"pilot": 15011 if plan.control_plane_tls else 15010, "zipkin": 9411}.get(part, 15004)


def _exposed(part: str) -> str:
    return f"{_NAMES[part]}-exposed"


def _entry(part: str, port: int, target: int | None = None) -> dict[str, Any]:
    return {"name": f"tcp-{part}", "port": port, "protocol": "TCP", "targetPort": target or port}


def _gateway(namespace: str, exposure: Exposure, ports: Mapping[str, int]) -> Iterable[Body]:
    addresses, selector = exposure.addresses, dict(exposure.selector)
    listeners = {part: _BEHIND.get(part, port) for part, port in ports.items()}
    together: dict[str, list[str]] = {}
    for part, address in addresses.items():
        together.setdefault(address or part, []).append(part)
    for parts in together.values():
        entries = [_entry(part, ports[part], listeners[part]) for part in parts]
        name, address = f"{_NAMES[parts[0]]}-gateway", addresses[parts[0]]
        yield load_balancer(name, namespace, (selector, entries), address)
    servers = [
        {"hosts": ["*"], "port": {"name": f"tcp-{part}", "number": port, "protocol": "TCP"}}
        for part, port in listeners.items()
    ]
    spec: dict[str, Any] = {"selector": selector, "servers": servers}
    yield thing(_API, "Gateway", _GATEWAY, namespace, labels=ISTIO, spec=spec)
    hosts = {part: f"{_exposed(part)}.{namespace}.svc.cluster.local" for part in ports}
    routes = [
        {
            "match": [{"port": listeners[part]}],
            "route": [{"destination": {"host": host, "port": {"number": ports[part]}}}],
        }
        for part, host in hosts.items()
    ]
    spec = {"gateways": [_GATEWAY], "hosts": ["*"], "tcp": routes}
    yield thing(_API, "VirtualService", "control-plane", namespace, labels=ISTIO, spec=spec)
    for part, host in hosts.items():  # the gateway doesn't change the sidecar's TLS
        spec = {"host": host, "trafficPolicy": {"tls": {"mode": "DISABLE"}}}
        yield thing(_API, "DestinationRule", _exposed(part), namespace, labels=ISTIO, spec=spec)

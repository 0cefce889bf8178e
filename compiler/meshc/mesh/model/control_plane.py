"""How remotes reach the control plane of a primary."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from meshc.kube import LABEL
from meshc.mesh.model.selection import Shape
from meshc.mesh.model.words import HttpsUrl, Name, PodLabels, Subdomain

PARTS = ("istiod", "pilot", "policy", "telemetry", "zipkin")
"""The parts of a control plane that have addresses."""


def _part(text: str) -> str:
    named, _, revision = text.partition("-")
    if text not in PARTS and not (named == "istiod" and LABEL.fullmatch(revision) and len(text) <= _NAME_LENGTH):
        raise PydanticCustomError("unknown_part", "must be the name of a part")
    return text


_NAME_LENGTH = 63


AddressPart = Annotated[
    str,
    AfterValidator(_part),
    Field(json_schema_extra={"anyOf": [{"enum": list(PARTS)}, {"pattern": f"^istiod-{LABEL.pattern}$"}]}),
]


class HttpsGateway(Shape):
    """A gateway that ends TLS before istiod, with a certificate of its own."""

    secret: Subdomain
    """The Secret with that certificate and its key, beside the gateway's pods. Remotes check it as browsers do, so it
    is signed by a public CA."""
    root_secret: Subdomain = "istiod-root"  # noqa: S105 # a name
    """The Secret beside the gateway's pods that holds the mesh's root as `ca.crt`. By it the gateway knows istiod."""


class ControlPlane(Shape):
    """How remotes reach this primary's control plane."""

    exposure: Literal["pod-ip", "load-balancer", "gateway"] | None = None
    """What the addresses are of. pod-ip: pods, so they go stale when one restarts. load-balancer: Services of that type
    are compiled. gateway: routes of a gateway are compiled. Default: something of yours, for which nothing is compiled;
    gateway where remotes come in by the gateway of the primary's network."""
    gateway_selector: PodLabels | None = None
    """exposure: gateway: labels of the gateway's pods, in Istio's namespace. Default: those of the network's gateway;
    for classic Istio and external control planes `istio: ingressgateway`."""
    https: HttpsGateway | None = None
    """External control planes with exposure: gateway: the gateway has a certificate of its own for the host of
    `addresses.istiod`, and remotes call it there. Without, it passes TLS on to istiod unopened."""
    addresses: dict[AddressPart, str] = {}
    """IP addresses or host names. istiod: `istiod`, and `istiod-<revision>` for a further control plane that isn't
    reached by the same gateway. Classic: `pilot`, where used `policy`, `telemetry`, `zipkin`."""
    config_cluster: Name | None = None
    """External control planes: the remote that holds Istio's configuration (policies, gateways, routes), which istiod
    reads there as if it ran there; default: its only remote."""
    injection_url: HttpsUrl | None = Field(default=None, alias="injectionURL")
    """istiod behind a host name: `https://host:15017`, where the API servers of remotes call the injector. That of a
    further control plane is the same port of its own address."""
    pilot_service: bool | None = None
    """Classic: make Service and Endpoints `istio-pilot` in remotes, so that the name resolves there (the chart's
    remotePilotCreateSvcEndpoint). Default: with controlPlaneTLS and an IP address."""

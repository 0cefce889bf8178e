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
    """A gateway with its own certificate that terminates TLS in front of istiod."""

    secret: Subdomain
    """The Secret with that certificate and its key, in the namespace of the gateway's pods. Remotes verify it like
    browsers, so a public CA must sign it."""
    root_secret: Subdomain = "istiod-root"  # noqa: S105 # a name
    """The Secret with the mesh's root as `ca.crt`, in the namespace of the gateway's pods. The gateway uses it to
    verify istiod."""


class ControlPlane(Shape):
    """How remotes reach this primary's control plane."""

    exposure: Literal["pod-ip", "load-balancer", "gateway"] | None = None
    """The kind of the addresses. pod-ip: addresses of pods, which change when a pod restarts. load-balancer: meshc
    compiles Services of that type. gateway: meshc compiles routes of a gateway. Default: your own solution, for which
    meshc compiles nothing; or gateway if remotes use the gateway of the primary's network."""
    gateway_selector: PodLabels | None = None
    """exposure: gateway: labels of the gateway's pods, in Istio's namespace. Default: those of the network's gateway;
    for classic Istio and external control planes `istio: ingressgateway`."""
    https: HttpsGateway | None = None
    """External control planes with exposure: gateway: the gateway has its own certificate for the host of
    `addresses.istiod`, and remotes call it there. Without it, the gateway forwards TLS unchanged to istiod."""
    addresses: dict[AddressPart, str] = {}
    """IP addresses or host names. istiod: `istiod`, and `istiod-<revision>` for a further control plane that isn't
    behind the same gateway. Classic: `pilot`, and `policy`, `telemetry`, `zipkin` if used."""
    config_cluster: Name | None = None
    """External control planes: the remote with Istio's configuration (policies, gateways, routes). istiod reads it as
    if it ran there; default: its only remote."""
    injection_url: HttpsUrl | None = Field(default=None, alias="injectionURL")
    """istiod behind a host name: `https://host:15017`, the URL at which the API servers of remotes call the injector. A
    further control plane uses the same port at its own address."""
    pilot_service: bool | None = None
    """Classic: make Service and Endpoints `istio-pilot` in remotes, so that the name resolves there (the chart's
    remotePilotCreateSvcEndpoint). Default: with controlPlaneTLS and an IP address."""

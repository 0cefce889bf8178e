"""Addresses, exposures and gateways, through which control planes and networks are reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Attachment:
    """How a remote reaches its primary. `addresses` is by component: istiod, or pilot, policy, telemetry, zipkin.

    `family` is the IP family that the Service `istiod` must set for its address; empty for the cluster's default.
    """

    primary: str
    addresses: Mapping[str, str]
    injection_url: str | None
    pilot_service: bool
    family: Literal["", "IPv4", "IPv6"]
    https: bool
    """True if remotes call a gateway with its own certificate, by its host name only."""


@dataclass(frozen=True, slots=True)
class HttpsPlan:
    """A gateway that terminates TLS: its hosts, the Secret with its certificate, and the Secret with istiod's root."""

    hosts: tuple[str, ...]
    secret: str
    root_secret: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """How meshc exposes a primary's control plane. `addresses` is by component; unknown addresses are empty.

    `webhook_port` is the external port at which API servers call istiod's injector.
    """

    kind: Literal["pod-ip", "load-balancer", "gateway"]
    addresses: Mapping[str, str]
    webhook_port: int
    selector: Mapping[str, str]
    """The labels of the gateway's pods, for kind gateway."""
    https: HttpsPlan | None


@dataclass(frozen=True, slots=True)
class GatewayService:
    """The Service that chart gateway makes for the east-west gateway, with the requested address, empty for any.

    `of_network`: istiod gives its address to other networks.
    """

    address: str
    of_network: bool


@dataclass(frozen=True, slots=True)
class Door:
    """A port of a network's gateways for mutual TLS, and the labels of their pods."""

    port: int
    selector: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class GatewayPlan:
    """The east-west gateway that must run in this cluster, or in another cluster of its network.

    The gateway in front of istiod runs in the primary. The gateway of an external control plane is an ingress gateway
    of its cluster, and isn't in a network of the mesh.

    Other networks reach it for mutual TLS at `host` and `port`. `istiod`: it also forwards to istiod. `rendered`: meshc
    renders it from the user's chart, with `service`; otherwise the user installs it.
    """

    network: str | None
    host: str | None
    port: int
    istiod: bool
    service: GatewayService
    rendered: bool
    doors: tuple[Door, ...]
    """The ports and pod labels of the gateways that may run in this cluster."""


@dataclass(frozen=True, slots=True)
class AmbientPlan:
    """Ambient in a cluster: its network, if there are several, and the address that its ambient gateway requests.

    Sidecars use another gateway. If the mesh has sidecars, the address in mesh.yaml is the address of that gateway.
    """

    network: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """A network with clusters, and its first gateway, if mesh.yaml has one."""

    name: str
    label: str
    gateway: str | None
    port: int
    more: tuple[str, ...] = ()
    """The host and port of each further gateway."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host and port of every gateway."""
        return (f"{self.gateway}:{self.port}", *self.more) if self.gateway else ()

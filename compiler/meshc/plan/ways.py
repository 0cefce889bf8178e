"""How control planes and networks are reached: addresses, exposures and gateways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Attachment:
    """How a remote reaches its primary. `addresses` by part: istiod, or pilot, policy, telemetry, zipkin.

    `family` is the one that the Service `istiod` needs for its address, where a cluster's default isn't known to be it.
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
    """A gateway that ends TLS: its hosts, the Secret with its certificate, and that with the root of istiod's."""

    hosts: tuple[str, ...]
    secret: str
    root_secret: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """What is compiled for a primary's control plane to be reached: `addresses` by part, empty where one isn't known.

    `webhook_port` is where API servers call istiod's injector from outside.
    """

    kind: Literal["pod-ip", "load-balancer", "gateway"]
    addresses: Mapping[str, str]
    webhook_port: int
    selector: Mapping[str, str]
    """The labels of the gateway's pods, if it leads through one."""
    https: HttpsPlan | None


@dataclass(frozen=True, slots=True)
class GatewayService:
    """The Service that chart gateway makes before the east-west gateway: the address it asks for, empty for any.

    `of_network`: istiod tells other networks its address.
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
    """The east-west gateway that must run here, or in another cluster of its network.

    The gateway before istiod runs in the primary. The gateway of an external control plane is an ingress gateway of its
    cluster, and in no network of the mesh.

    `host` and `port` are where other networks reach it for mutual TLS; `istiod`: it passes on to istiod as well;
    `rendered`: from the user's chart, with that `service`; else it is the user's to install.
    """

    network: str | None
    host: str | None
    port: int
    istiod: bool
    service: GatewayService
    rendered: bool
    doors: tuple[Door, ...]
    """The ways in from other networks that gateways here may be."""


@dataclass(frozen=True, slots=True)
class AmbientPlan:
    """Ambient in a cluster: the network whose gateway of its own is here, if of several, and the address it asks for.

    Sidecars have another gateway; where there are some, the address that mesh.yaml tells is that one's.
    """

    network: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """A network that clusters are in, and its gateway, if mesh.yaml has one."""

    name: str
    label: str
    gateway: str | None
    port: int
    more: tuple[str, ...] = ()
    """Host and port of its further gateways."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host and port of every gateway."""
        return (f"{self.gateway}:{self.port}", *self.more) if self.gateway else ()

"""Service copies, and the bases that several clusters share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a service copy. Empty names and application protocols aren't written."""

    port: int
    name: str
    protocol: str
    app_protocol: str


@dataclass(frozen=True, slots=True)
class ServiceCopy:
    """A Service object for clusters where the service doesn't run, so that its name resolves there.

    `homes` are the clusters in which it does run.
    """

    namespace: str
    name: str
    homes: tuple[str, ...]
    ports: tuple[Port, ...]
    headless: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    external_name: str
    """The host of an ExternalName Service; empty for other Services."""
    publish_not_ready: bool
    traffic_distribution: str
    node_local: bool
    dual_stack: bool


@dataclass(frozen=True, slots=True)
class ServiceBase:
    """Copies that several clusters share. They are written once, to overlays/_services/<name>/."""

    name: str
    clients: tuple[str, ...]
    copies: tuple[ServiceCopy, ...]

"""Finds the addresses of a cluster in the plan, each with its place in mesh.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshc.errors import Path
    from meshc.mesh.source import Source
    from meshc.plan.ir import ClusterPlan, Plan

GATEWAY = "gateway"
"""The part name for the east-west gateway of a cluster's network."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address in mesh.yaml, or None, and its path in mesh.yaml."""

    value: str | None
    path: Path


def recorded_addresses(plan: Plan, source: Source, cluster: ClusterPlan) -> Mapping[str, Address]:
    """The addresses of a cluster's control plane by part, and the address of its east-west gateway.

    If remotes reach the control plane through the gateway of its network, it has no address of its own.
    """
    found: dict[str, Address] = {}
    number = [one.name for one in plan.clusters].index(cluster.name)
    plane: Path = ("spec", "clusters", number, "controlPlane")
    if cluster.attachment is None and not _by_network(source, plane, cluster):
        paths: dict[str, Path] = {part: (*plane, "addresses", part) for part in plan.generation.parts}
        found = {part: Address(_said(source, path), path) for part, path in paths.items()}
    for index, network in enumerate(plan.networks):
        if cluster.gateway and network.name == cluster.network and network.gateway:
            gateway: Path = ("spec", "networks", index, *_gateway(source, index, cluster.name))
            named = _said(source, (*gateway, "hostname"))
            host = cluster.gateway.host or network.gateway
            found[GATEWAY] = Address(host, (*gateway, "hostname" if named else "address"))
    return found


def _gateway(source: Source, network: int, cluster: str) -> tuple[str | int, ...]:
    """The path of a cluster's own gateway if the network has several."""
    listed = source.document.data["spec"]["networks"][network].get("gateways") or ()
    said = [one.get("cluster") for one in listed]
    wanted = cluster if cluster in said else None
    return ("gateways", said.index(wanted) if wanted in said else 0) if listed else ("gateway",)


def _by_network(source: Source, plane: Path, cluster: ClusterPlan) -> bool:
    """True if remotes reach istiod through the gateway of the network, because mesh.yaml names no other way."""
    by_gateway = cluster.exposure is not None and cluster.exposure.kind == "gateway"
    own = _said(source, (*plane, "addresses", "istiod"))
    return by_gateway and cluster.gateway is not None and (own is None or own == cluster.gateway.host)


def _said(source: Source, path: Path) -> str | None:
    """The text at a path of mesh.yaml; None if there is none."""
    value = source.document.data
    for step in path:
        if isinstance(step, str) and (not isinstance(value, dict) or step not in value):
            return None
        value = value[step]
    return value if isinstance(value, str) else None

"""What a person writes into mesh.yaml: the shapes of clusters, their entries, services, a whole mesh."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from proof.cluster import Shape
from proof.mesh import VALUES

if TYPE_CHECKING:
    from proof.world import World

SHOP = "shop"


def service(name: str, clusters: Sequence[str], **more: Any) -> dict[str, Any]:
    """An entry of `services` in mesh.yaml."""
    return {
        "name": name,
        "namespace": SHOP,
        "clusters": list(clusters),
        "ports": [{"name": "http", "port": 8080}],
        **more,
    }


def entry_of(shape: Shape, *, primary: bool = False) -> dict[str, Any]:
    """A cluster in mesh.yaml."""
    entry: dict[str, Any] = {
        "name": shape.name,
        "role": "primary" if primary else "remote",
        "network": shape.network,
        "labels": {"region": shape.region},
        "kubernetesVersion": ".".join(shape.kubernetes.version.split(".")[:2]),
        "apiServer": f"https://{shape.address}:6443",
        "podCIDRs": [shape.pods],
        "serviceCIDRs": [shape.services],
    }
    if primary:
        entry["controlPlane"] = {"exposure": "load-balancer", "addresses": {"istiod": "10.0.5.20"}}
    return entry


def spec_of(world: World, shapes: Iterable[Shape], hub: str = "hub", **more: Any) -> dict[str, Any]:
    """A mesh.yaml of one primary and its remotes, with Istio's charts and Flux."""
    clusters = [entry_of(shape, primary=shape.name == hub) for shape in shapes]
    networks = sorted({shape.network for shape in shapes})
    return {
        "istio": {"version": "1.31.0", "charts": {"source": "vendor"}, "values": dict(VALUES)},
        "security": {
            "mutualTLS": "strict",
            "ca": {"type": "plugged-in", "fastRootRotation": True},
            "secrets": {"recipients": [world.mesh.recipient]},
        },
        "networks": [{"name": name} for name in networks],
        "clusters": clusters,
        "namespaces": [{"name": SHOP}],
        "services": [],
        "delivery": {"engine": "flux", "repoURL": "https://git.example/mesh.git", "runsIn": hub},
        **more,
    }


HUB = Shape("hub", "10.0.0.10", "10.10.0.0/16", "10.110.0.0/16")
EDGE_1 = Shape("edge-1", "10.1.0.10", "10.11.0.0/16", "10.111.0.0/16", region="us-east")
EDGE_2 = Shape("edge-2", "10.2.0.10", "10.12.0.0/16", "10.112.0.0/16", region="ap-south")

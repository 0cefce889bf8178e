"""A control plane that runs apart, and reads its configuration in one of the clusters that it serves."""

from __future__ import annotations

from functools import partial

from proof.cluster import Shape
from proof.running import FailedError, wait_for
from proof.stories.from_nothing import known, served
from proof.stories.membership import none_failed
from proof.world import World
from proof.written import EDGE_1, EDGE_2, entry_of, service, spec_of

_CONTROL = Shape("control", "10.6.0.10", "10.16.0.0/16", "10.116.0.0/16")
_SHAPES = (_CONTROL, EDGE_1, EDGE_2)


def tell(world: World) -> None:
    spec = spec_of(world, (), hub="control", services=[service("front", ["edge-1"]), service("web", ["edge-2"])])
    spec["networks"] = [{"name": _CONTROL.network}]
    spec["clusters"] = [entry_of(shape, primary=shape is _CONTROL) for shape in _SHAPES]
    control = spec["clusters"][0]
    control["role"] = "external-control-plane"
    control["controlPlane"]["configCluster"] = "edge-1"
    del control["network"]  # none of its pods is in the mesh
    spec["namespaces"][0]["clusters"] = ["edge-1", "edge-2"]
    world.start(*_SHAPES)
    mesh = world.mesh
    mesh.meshc("init", ".")
    mesh.write(spec)
    mesh.vendor()
    mesh.meshc("ca", "init", "--key-out", mesh.root_key)
    mesh.meshc("ca", "issue", "--root-key", mesh.root_key)
    mesh.meshc("compile")
    _by_hand(world, "edge-1")
    mesh.meshc("capture", "credentials", "edge-1", "--yes")
    mesh.meshc("compile")
    flux = world.start_flux("control")
    commit = mesh.commit("a control plane apart, with credentials of its config cluster")
    flux.take_root()
    flux.offer(commit)
    flux.applied(commit, "control", "edge-1", "edge-2", seconds=240, later=False)
    world.saw(
        "the config cluster first, then the control plane with the sealed istio-kubeconfig, then the other remote"
    )
    mesh.meshc("capture", "credentials", "edge-2", "--yes")
    mesh.meshc("compile")
    world.apply("credentials of edge-2")
    known(world, "edge-2", primary="control")
    for cluster, app in (("edge-1", "front"), ("edge-2", "web")):
        world.deploy(cluster, app)
    for cluster, app in (("edge-1", "front"), ("edge-2", "web")):
        world.ready(cluster, app, 180)
    wait_for("edge-1 reaches edge-2", partial(served, world, "edge-1", "front", "web.shop", "edge-2"), 60)
    with world.stream("edge-1", "front", "web.shop") as counts:
        for _ in range(20):
            served(world, "edge-2", "web", "front.shop", "edge-1")
    none_failed(world, counts, 5)
    if "failed calling webhook" in flux.hub.running["flux"].log.read_text():
        raise FailedError("Flux applied configuration before the istiod that checks it was there")
    world.saw("a request each way between two clusters whose istiod runs in a third")


def _by_hand(world: World, name: str) -> None:
    """A person applies output/ once, before the engine is there. What needs Istio's kinds is left to the engine."""
    try:
        world.clusters[name].kubectl("apply", "--server-side", "-k", world.mesh.folder / "output" / name)
    except FailedError as error:
        if "ensure CRDs are installed first" not in str(error):
            raise

"""The control plane moves, to another address or another pod: doctor finds it, and capture mends it."""

from __future__ import annotations

import time
from functools import partial

from proof.running import FailedError, wait_for
from proof.stories.from_nothing import served
from proof.stories.membership import none_failed
from proof.world import World
from proof.written import SHOP

_BEFORE, _AFTER = "10.0.5.20", "10.0.5.30"
_EXPOSED = "/api/v1/namespaces/istio-system/services/istiod-exposed"


def tell(world: World) -> None:
    with (
        world.stream("hub", "front", "web.shop") as out,
        world.stream("edge-1", "web", "front.shop") as back,
    ):
        _load_balancer(world)
        _to_pods(world)
        _pod(world)
    for counts in (out, back):
        none_failed(world, counts, 100)


def _load_balancer(world: World) -> None:
    """A cloud gives the load balancer another address, which nobody asked for."""
    world.kubelets["hub"].proxy.instead[_BEFORE] = _AFTER
    wait_for("the load balancer has another address", partial(_given, world, _AFTER), 30)
    _differs(world, _BEFORE, _AFTER)
    world.deploy("edge-1", "late")
    time.sleep(5)
    if any(pod.labels.get("app") == "late" for pod in world.kubelets["edge-1"].pods.values()):
        raise FailedError("a pod was made in edge-1, though its API server can't ask istiod")
    _mend(world, "MESH808")
    world.ready("edge-1", "late", 180)
    wait_for("late is in the mesh", partial(served, world, "edge-1", "late", "front.shop", "hub"), 30)
    world.saw("another address of the load balancer: no pod can be made in edge-1, doctor says why, capture mends it")


def _to_pods(world: World) -> None:
    """From now on remotes reach istiod at the address of its pod, as Istio's first guide has it."""
    spec = world.mesh.read()
    (hub,) = (each for each in spec["clusters"] if each["name"] == "hub")
    hub["controlPlane"]["exposure"] = "pod-ip"
    world.mesh.write(spec)
    _mend(world, "MESH808")
    wait_for("the load balancer is pruned", lambda: world.clusters["hub"].api.get(_EXPOSED) is None, 60)
    _starts_anew(world, "late")
    world.saw("istiod is reached at the address of its pod, which capture wrote into mesh.yaml")


def _pod(world: World) -> None:
    """istiod's pod is deleted; the next one has another address."""
    before = world.kubelets["hub"].find("istiod").net.address
    world.clusters["hub"].kubectl("delete", "pod", "-n", "istio-system", "-l", "app=istiod", "--wait=false")
    after = wait_for("another istiod runs", partial(_other, world, before), 90)
    _differs(world, before, after)
    _mend(world, "MESH808")
    _starts_anew(world, "late")
    world.saw("another pod of istiod: doctor says it, capture mends it")


def _differs(world: World, before: str, after: str) -> None:
    told = world.mesh.meshc("doctor", "hub", expect=(1,))
    if not any("differs" in line and "address" in line for line in told.splitlines()) or after not in told:
        raise FailedError(f"doctor doesn't say that istiod moved from {before} to {after}: {told}")


def _mend(world: World, danger: str) -> None:
    world.mesh.meshc("capture", "addresses", "hub", "--write")
    world.mesh.meshc("compile")
    said = world.mesh.meshc("diff", "--base", "HEAD", expect=(1,))
    if danger not in said:
        raise FailedError(f"meshc diff doesn't tell {danger}: {said}")
    world.apply("the control plane's address")
    told = world.mesh.meshc("doctor", expect=(0, 1))
    if any("differs" in line for line in told.splitlines()):
        raise FailedError(f"it isn't mended: {told}")


def _starts_anew(world: World, app: str) -> None:
    """A pod of edge-1 is made again: injected by istiod, and ready once istiod gives it a certificate and endpoints."""
    before = world.kubelets["edge-1"].find(app).name
    world.clusters["edge-1"].kubectl("delete", "pod", "-n", SHOP, "-l", f"app={app}", "--wait=false")
    wait_for(f"another pod of {app} is ready", lambda: world.kubelets["edge-1"].find(app).name != before, 180)
    world.ready("edge-1", app)
    wait_for(f"{app} is in the mesh", partial(served, world, "edge-1", app, "front.shop", "hub"), 30)


def _given(world: World, address: str) -> bool:
    body = world.clusters["hub"].api.get(_EXPOSED) or {}
    return [each["ip"] for each in body["status"]["loadBalancer"].get("ingress") or []] == [address]


def _other(world: World, before: str) -> str | None:
    address = world.kubelets["hub"].find("istiod").net.address
    return address if address != before else None

"""A cluster joins the mesh, and leaves it again, while requests to the others go on."""

from __future__ import annotations

from functools import partial

from proof.running import FailedError, wait_for
from proof.stories.from_nothing import known, served
from proof.world import Counts, World
from proof.written import EDGE_2, SHOP, entry_of

_SECRET = "/api/v1/namespaces/istio-system/secrets/istio-remote-secret-edge-2"


def join(world: World) -> None:
    with world.stream("hub", "front", "web.shop") as counts:
        world.start(EDGE_2)
        spec = world.mesh.read()
        spec["clusters"].append(entry_of(EDGE_2))
        for service in spec["services"]:
            if service["name"] == "web":
                service["clusters"].append(EDGE_2.name)
        world.mesh.write(spec)
        world.mesh.meshc("compile")
        world.apply("edge-2 joins")
        told(world, "seal")
        world.mesh.meshc("capture", "credentials", EDGE_2.name, "--yes")
        world.mesh.meshc("compile")
        world.apply("credentials of edge-2")
        known(world, EDGE_2.name)
        world.deploy(EDGE_2.name, "web")
        world.deploy(EDGE_2.name, "guest")
        world.ready(EDGE_2.name, "web")
        world.ready(EDGE_2.name, "guest")
        wait_for("the hub reaches web in edge-2", partial(served, world, "hub", "front", "web.shop", EDGE_2.name), 30)
        wait_for("edge-2 reaches the hub", partial(served, world, EDGE_2.name, "guest", "front.shop", "hub"), 30)
    none_failed(world, counts)
    world.saw("next tells to seal its credentials; both ways a request is served")


def leave(world: World) -> None:
    hub, edge = world.clusters["hub"], world.clusters[EDGE_2.name]
    kept = {name: world.versions(name) for name in ("hub", "edge-1")}
    for app in ("web", "guest"):
        edge.kubectl("delete", "deployment", app, "-n", SHOP)  # its traffic is moved away first
    wait_for("no request goes there any more", partial(_gone, world), 30)
    with world.stream("hub", "front", "web.shop") as counts:
        spec = world.mesh.read()
        spec["clusters"] = [each for each in spec["clusters"] if each["name"] != EDGE_2.name]
        for service in spec["services"]:
            service["clusters"] = [each for each in service["clusters"] if each != EDGE_2.name]
        world.mesh.write(spec)
        world.mesh.meshc("compile")
        world.apply("edge-2 leaves")
        wait_for("the remote secret is pruned in the hub", lambda: hub.api.get(_SECRET) is None, 60)
        wait_for("Flux pruned what it had applied", partial(_is_bare, world), 60)
    none_failed(world, counts)
    if edge.api.get(f"/api/v1/namespaces/{SHOP}") is None:
        raise FailedError("edge-2: the namespace went along")
    for name, before in kept.items():
        gone = sorted(set(before) - set(world.versions(name)))
        if left := [key for key in gone if EDGE_2.name not in key]:
            raise FailedError(f"{name}: {', '.join(left)} went along with edge-2")
    world.saw("its secret and what Flux had applied there are gone, its namespaces stay, the others lost nothing")


def told(world: World, step: str) -> None:
    """`meshc next` names the step."""
    text = world.mesh.meshc("next", expect=(0, 1))
    if not any(EDGE_2.name in line and f" {step} " in line for line in text.splitlines()):
        raise FailedError(f"meshc next doesn't name {step} for {EDGE_2.name}: {text}")


def none_failed(world: World, counts: Counts, least: int = 20) -> None:
    """Every request of a stream was answered."""
    if counts.failed:
        raise FailedError(f"{len(counts.failed)} of {counts.count} requests failed, the first: {counts.failed[0]}")
    if counts.count < least:
        raise FailedError(f"only {counts.count} requests were made")
    world.saw(f"{counts.count} requests meanwhile, none failed, answered by {dict(counts.by)}")


def _gone(world: World) -> bool:
    return all(world.call("hub", "front", "web.shop").get("cluster") == "edge-1" for _ in range(8))


def _is_bare(world: World) -> bool:
    api = world.clusters[EDGE_2.name].api
    hooks = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/istio-sidecar-injector"
    return api.get(hooks) is None and api.get("/api/v1/namespaces/istio-system/services/istiod") is None

"""From an empty repository to requests across two clusters: init, CA, seal, commit; Flux applies."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from proof import programs
from proof.cluster import Shape
from proof.running import FailedError, run, wait_for
from proof.world import World
from proof.written import EDGE_1, HUB, service, spec_of


def tell(world: World) -> None:
    began = time.monotonic()
    services = [service("web", ["edge-1"]), service("front", ["hub"])]
    begin(world, (HUB, EDGE_1), spec_of(world, (HUB, EDGE_1), services=services))
    known(world, "edge-1")
    for cluster, app in (("hub", "front"), ("edge-1", "web")):
        world.deploy(cluster, app)
    for cluster, app in (("hub", "front"), ("edge-1", "web")):
        world.ready(cluster, app)
    spec = world.kubelets["edge-1"].find("web").body["spec"]
    if "istio-proxy" not in [each["name"] for each in [*spec["containers"], *(spec.get("initContainers") or [])]]:
        raise FailedError("the pod of the remote has no sidecar")
    world.saw("a pod of the remote was injected through the compiled webhook")
    each_way(world)
    refused_in_plain(world)
    world.mesh.meshc("check")
    world.saw(f"from nothing to requests in {time.monotonic() - began:.0f} s")


def oldest(world: World) -> None:
    """The same with the oldest Kubernetes that this Istio supports, in the remote and in the primary."""
    shapes = tuple(replace(shape, kubernetes=programs.OLDEST) for shape in (HUB, EDGE_1))
    begin(world, shapes, spec_of(world, shapes, services=[service("web", ["edge-1"]), service("front", ["hub"])]))
    known(world, "edge-1")
    for cluster, app in (("hub", "front"), ("edge-1", "web")):
        world.deploy(cluster, app)
    for cluster, app in (("hub", "front"), ("edge-1", "web")):
        world.ready(cluster, app)
    each_way(world)
    with world.stream("hub", "front", "web.shop") as counts:
        world.mesh.meshc("capture", "facts")
        time.sleep(3)
    if counts.failed or counts.count < 20:
        raise FailedError(f"{len(counts.failed)} of {counts.count} requests failed")
    world.saw(f"Kubernetes {programs.OLDEST.version} in both clusters, as capture facts finds it: a request each way")


def begin(
    world: World, shapes: Sequence[Shape], spec: Mapping[str, Any], install: Callable[[World], None] | None = None
) -> None:
    """What a person does at the desk and once in each cluster: init, CA, seal, commit; the rest is Flux's.

    `install` brings to the clusters what has to be there before.
    """
    names = [shape.name for shape in shapes]
    world.start(*shapes)
    mesh = world.mesh
    mesh.meshc("init", ".")
    mesh.write(spec)
    mesh.vendor()
    if install:
        install(world)
    mesh.meshc("ca", "init", "--key-out", mesh.root_key)
    mesh.meshc("ca", "issue", "--root-key", mesh.root_key)
    mesh.meshc("compile")
    flux = world.start_flux("hub")
    first = mesh.commit("a mesh")
    flux.take_root()
    flux.offer(first)
    seconds = flux.applied(first, *names, seconds=180, later=False)
    world.saw(f"Flux applied {' and '.join(names)} in {seconds:.0f} s")
    mesh.meshc("capture", "credentials", "--all", "--yes")
    mesh.meshc("compile")
    world.apply("credentials")


def known(world: World, *clusters: str, primary: str = "hub") -> None:
    """istiod itself says which clusters it reads, and that it is through with them."""
    pod = wait_for("istiod is ready", lambda: world.kubelets[primary].find("istiod"), 60)
    for cluster in clusters:
        wait_for(f"{primary}: istiod is in step with {cluster}", partial(_is_synced, pod.net.name, cluster), 60)
    world.saw(f"istiod of {primary} reads {', '.join(clusters)} by the sealed credentials")


def _is_synced(namespace: str, cluster: str) -> bool:
    found = json.loads(run("curl", "-s", "-m", "5", "http://127.0.0.1:15014/debug/clusterz", namespace=namespace))
    return any(each["id"] == cluster and each["syncStatus"] == "synced" for each in found)


def each_way(world: World) -> None:
    """A request each way, with the certificate of the caller as the other side saw it."""
    for cluster, app, host, there in (("hub", "front", "web.shop", "edge-1"), ("edge-1", "web", "front.shop", "hub")):
        answer = wait_for(f"{cluster} reaches {host}", partial(served, world, cluster, app, host, there), 30)
        if "spiffe://cluster.local/ns/shop/sa/default" not in answer["certificate"]:
            raise FailedError(f"{host} saw no certificate of the caller: {answer}")
    world.saw("requests each way, each with the caller's certificate (mutual TLS)")


def served(world: World, cluster: str, app: str, host: str, there: str) -> dict[str, str]:
    answer = world.call(cluster, app, host)
    if answer.get("cluster") != there:
        raise FailedError(str(answer))
    return answer


def refused_in_plain(world: World) -> None:
    """Under strict, a caller without a sidecar gets no answer; with mutual TLS the same Service just gave one."""
    world.deploy("hub", "stranger", "default", injected=False)
    world.ready("hub", "stranger")
    address = world.kubelets["edge-1"].find("web").net.address
    answer = world.call_address("hub", "stranger", address, "web.shop")
    if answer.get("status") != 0 or "reset" not in str(answer.get("text")).lower():
        raise FailedError(f"a plain request to web was answered: {answer}")
    world.saw("a request in plain is refused")

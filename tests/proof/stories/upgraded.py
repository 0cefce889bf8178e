"""An upgrade by a revision tag, in three commits: a canary beside the old istiod, the tag moved, the old one gone.

Both istiods are of one version, as only one is built. What is shown is who injects and who tells sidecars what.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from proof.running import FailedError, wait_for
from proof.stories.from_nothing import begin, each_way, known
from proof.stories.membership import none_failed
from proof.world import World
from proof.written import EDGE_1, HUB, SHOP, service, spec_of

_OLD, _NEW = "stable", "canary"
_PLACES = (("hub", "front"), ("edge-1", "web"))


def tell(world: World) -> None:
    shapes = (HUB, EDGE_1)
    spec = spec_of(world, shapes, services=[service("web", ["edge-1"]), service("front", ["hub"])])
    spec["istio"] |= {"revision": _OLD, "revisionTags": {"prod": _OLD}}
    spec["namespaces"] = [{"name": SHOP, "revision": "prod"}]
    begin(world, shapes, spec)
    known(world, "edge-1")
    for cluster, app in _PLACES:
        world.deploy(cluster, app)
    for cluster, app in _PLACES:
        world.ready(cluster, app)
    _all_of(world, _OLD)
    each_way(world)
    with world.stream("hub", "front", "web.shop") as counts:
        _add_canary(world)
        _move_tag(world)
    none_failed(world, counts)
    _all_of(world, _OLD)
    for cluster, app in _PLACES:
        _restart(world, cluster, app)
    _all_of(world, _NEW)
    each_way(world)
    world.saw("pods made anew are injected by the new istiod and listen to it; others stay with the old one")
    with world.stream("hub", "front", "web.shop") as counts:
        _remove_old(world)
    none_failed(world, counts)
    each_way(world)


def _add_canary(world: World) -> None:
    spec = world.mesh.read()
    spec["istio"]["controlPlanes"] = [{"revision": _NEW, "version": spec["istio"]["version"]}]
    hub = next(each for each in spec["clusters"] if each["name"] == "hub")
    hub["controlPlane"]["addresses"][f"istiod-{_NEW}"] = "10.0.5.21"
    _commit(world, spec, "a canary beside the old control plane")
    wait_for("the canary runs", partial(_runs, world, _NEW), 120)
    world.saw("both control planes run side by side")


def _move_tag(world: World) -> None:
    spec = world.mesh.read()
    spec["istio"]["revisionTags"] = {"prod": _NEW}
    _commit(world, spec, "the tag moves", danger="MESH850")


def _remove_old(world: World) -> None:
    spec = world.mesh.read()
    spec["istio"] |= {"revision": _NEW, "controlPlanes": []}
    hub = next(each for each in spec["clusters"] if each["name"] == "hub")
    addresses = hub["controlPlane"]["addresses"]
    addresses["istiod"] = addresses.pop(f"istiod-{_NEW}")
    _commit(world, spec, "the old control plane goes", danger="MESH851")
    path = f"/apis/apps/v1/namespaces/istio-system/deployments/istiod-{_OLD}"
    wait_for("the old istiod is pruned", lambda: world.clusters["hub"].api.get(path) is None, 90)
    world.saw("the old control plane is pruned, and nothing else is missed")


def _commit(world: World, spec: dict[str, Any], message: str, danger: str = "") -> None:
    world.mesh.write(spec)
    world.mesh.meshc("compile")
    said = world.mesh.meshc("diff", "--base", "HEAD", expect=(0, 1))
    if danger not in said:
        raise FailedError(f"meshc diff doesn't tell {danger}: {said}")
    world.apply(message)


def _runs(world: World, revision: str) -> bool:
    pods = world.kubelets["hub"].pods.values()
    wanted = {"app": "istiod", "istio.io/rev": revision}
    if not any(pod.ready and wanted.items() <= pod.labels.items() for pod in pods):
        raise FailedError(f"no istiod of revision {revision} is ready: {[pod.state for pod in pods]}")
    return True


def _restart(world: World, cluster: str, app: str) -> None:
    """As kubectl rollout restart: another pod is made from the same Deployment."""
    before = world.kubelets[cluster].find(app).body["metadata"]["uid"]
    world.clusters[cluster].kubectl("delete", "pod", "-n", SHOP, "-l", f"app={app}", "--wait=false")
    wait_for(f"{cluster}: {app} runs anew", partial(_is_another, world, cluster, app, before), 120)
    world.ready(cluster, app)


def _is_another(world: World, cluster: str, app: str, before: str) -> bool:
    if world.kubelets[cluster].find(app).body["metadata"]["uid"] == before:
        raise FailedError("it is the old pod")
    return True


def _all_of(world: World, revision: str) -> None:
    """Every sidecar was injected by a revision, and asks that one."""
    for cluster, app in _PLACES:
        labels = world.kubelets[cluster].find(app).labels
        node = world.sidecar(cluster, app, "server_info")["node"]["metadata"]
        asks = json.dumps(node.get("PROXY_CONFIG", {}).get("discoveryAddress", ""))
        if labels.get("service.istio.io/canonical-name") != app or f"istiod-{revision}.istio-system" not in asks:
            raise FailedError(f"{cluster}: the sidecar of {app} asks {asks}, not the istiod of {revision}")

"""The line to a cluster is cut: nothing wrong is applied, calls that don't need it go on, and it heals by itself."""

from __future__ import annotations

import time
from functools import partial

from proof.running import FailedError, wait_for
from proof.stories.from_nothing import served
from proof.stories.membership import none_failed
from proof.world import World
from proof.written import SHOP, service

_COPY = f"/api/v1/namespaces/{SHOP}/services/late"


def tell(world: World) -> None:
    node = world.clusters["edge-1"].node
    with world.stream("hub", "front", "web.shop") as counts:
        # pods of one network have a line of their own: only the API server and istiod are out of reach
        node.cut(down=True)
        spec = world.mesh.read()
        spec["services"].append(service("late", ["hub"]))
        world.mesh.write(spec)
        world.mesh.meshc("compile")
        flux = world.running_flux()
        commit = world.mesh.commit("a Service more, while edge-1 can't be reached")
        flux.offer(commit)
        flux.applied(commit, "hub")
        text = world.mesh.meshc("doctor", "edge-1", "--timeout", "3", expect=(4,))
        time.sleep(5)
        node.cut(down=False)
        flux.apply_now("edge-1", seconds=150)
        wait_for("edge-1 got the copy", lambda: world.clusters["edge-1"].api.get(_COPY), 60)
    none_failed(world, counts)
    wait_for("edge-1 reaches the hub again", partial(served, world, "edge-1", "web", "front.shop", "hub"), 60)
    if "edge-1" not in text:
        raise FailedError(f"doctor doesn't name edge-1: {text}")
    world.saw("the hub went on, doctor ended with 4, and after the cut edge-1 got what it had missed")

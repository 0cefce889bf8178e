"""A service moves to another cluster, in steps and at once; its port is renamed: what diff warns of is so."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from proof.running import FailedError, wait_for
from proof.stories.from_nothing import served
from proof.stories.membership import none_failed
from proof.world import World
from proof.written import SHOP, service

_SERVICES = f"/api/v1/namespaces/{SHOP}/services"
_PORT = "outbound|8080||named.shop.svc.cluster.local"


def move(world: World) -> None:
    """A service moves from the hub to edge-1, as the guide has it; asked from both clusters."""
    _add(world, "mover", "hub")
    world.deploy("hub", "mover")
    world.ready("hub", "mover")
    wait_for("mover is answered in the hub", partial(served, world, "hub", "front", "mover.shop", "hub"), 60)
    with world.stream("hub", "front", "mover.shop") as before:
        _runs_in(world, "mover", ["hub", "edge-1"], "MESH819")
        if world.clusters["edge-1"].api.get(f"{_SERVICES}/mover") is not None:
            raise FailedError("diff said that the copy in edge-1 goes, and it is there")
        world.deploy("edge-1", "mover")
        world.ready("edge-1", "mover")
        for there in ("hub", "edge-1"):
            wait_for(f"mover is answered in {there}", partial(served, world, "edge-1", "web", "mover.shop", there), 60)
        world.clusters["hub"].kubectl("delete", "deployment", "mover", "-n", SHOP)
        wait_for("mover is answered in edge-1 alone", partial(_always, world, "mover.shop"), 60)
    none_failed(world, before)
    world.clusters["hub"].kubectl("delete", "service", "mover", "-n", SHOP)
    _runs_in(world, "mover", ["edge-1"], "")
    with world.stream("hub", "front", "mover.shop") as after:
        wait_for("the copy leads to edge-1", partial(_always, world, "mover.shop"), 60)
        time.sleep(2)
    none_failed(world, after, 20)
    world.saw("mover moves to edge-1 step by step: its name goes and comes where diff said")


def at_once(world: World) -> None:
    """What MESH819 warns of: in one step, the Service that a person applied over the copy goes along with it."""
    _add(world, "lone", "hub")
    world.deploy("edge-1", "lone", forced=True)
    world.ready("edge-1", "lone")
    _runs_in(world, "lone", ["edge-1"], "MESH819")
    wait_for("it is pruned", lambda: world.clusters["edge-1"].api.get(f"{_SERVICES}/lone") is None, 30)
    world.saw("in one step the Service itself is pruned with the copy, as MESH819 says")


def rename(world: World) -> None:
    """What MESH811 warns of: where two clusters name a port differently, one of them has no endpoints."""
    _add(world, "named", "edge-1")
    world.deploy("edge-1", "named")
    world.ready("edge-1", "named")
    wait_for("named is reached", partial(served, world, "hub", "front", "named.shop", "edge-1"), 60)
    with world.stream("hub", "front", "named.shop") as counts:
        _port(world, "http-shop")
        found = _settled(lambda: world.endpoints("hub", "front", _PORT))
    if found or not counts.failed:
        raise FailedError(f"diff said that endpoints go; the hub's sidecar has {found}, {len(counts.failed)} failed")
    world.saw(f"a port renamed in the copy alone: no endpoint is left, {len(counts.failed)} requests failed")
    ports = {"spec": {"ports": [{"name": "http-shop", "port": 8080}]}}
    world.clusters["edge-1"].api.merge(f"{_SERVICES}/named", ports)
    wait_for("named is reached again", partial(served, world, "hub", "front", "named.shop", "edge-1"), 30)
    world.saw("renamed in the Service too, it is reached again")


def _port(world: World, name: str) -> None:
    spec = world.mesh.read()
    (entry,) = (each for each in spec["services"] if each["name"] == "named")
    entry["ports"][0]["name"] = name
    world.mesh.write(spec)
    _apply(world, "MESH811", "another name for the port of named")


def _runs_in(world: World, name: str, clusters: list[str], danger: str) -> None:
    spec = world.mesh.read()
    (entry,) = (each for each in spec["services"] if each["name"] == name)
    entry["clusters"] = clusters
    world.mesh.write(spec)
    _apply(world, danger, f"{name} runs in {' and '.join(clusters)}")


def _apply(world: World, danger: str, message: str) -> None:
    world.mesh.meshc("compile")
    said = world.mesh.meshc("diff", "--base", "HEAD", expect=(1,))
    if (danger not in said) if danger else ("danger" in said):
        raise FailedError(f"meshc diff doesn't tell {danger or 'that nothing is dangerous'}: {said}")
    world.apply(message)


def _add(world: World, name: str, cluster: str) -> None:
    spec = world.mesh.read()
    spec["services"].append(service(name, [cluster]))
    world.mesh.write(spec)
    world.mesh.meshc("compile")
    world.apply(f"{name} runs in {cluster}")


def _always(world: World, host: str) -> bool:
    return all(bool(served(world, "hub", "front", host, "edge-1")) for _ in range(20))


def _settled(look: Callable[[], list[str]], seconds: float = 5) -> list[str]:
    """What is seen once it was the same for so long."""
    seen, since = look(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.5)
        if (now := look()) != seen:
            seen, since = now, time.monotonic()
    return seen

"""Two primaries, each with a remote of its own, in three networks: requests from each cluster to each other."""

from __future__ import annotations

import itertools
import time
from contextlib import ExitStack
from functools import partial

from proof.cluster import Shape
from proof.running import wait_for
from proof.stories.from_nothing import begin, known, served
from proof.stories.membership import none_failed
from proof.world import World
from proof.written import EDGE_1, HUB, entry_of, service, spec_of

_HUB_2 = Shape("hub-2", "10.4.0.10", HUB.pods, "10.114.0.0/16", network="cloud", region="us-east")
_LAB = Shape("lab-1", "10.5.0.10", HUB.pods, "10.115.0.0/16", network="lab", region="ap-south")
_SHAPES = (HUB, EDGE_1, _HUB_2, _LAB)
_GATEWAYS = {"corp": "203.0.113.7", "cloud": "203.0.113.8", "lab": "203.0.113.9"}
_PRIMARY = {"hub": "hub", EDGE_1.name: "hub", _HUB_2.name: _HUB_2.name, _LAB.name: _HUB_2.name}


def tell(world: World) -> None:
    services = [service(f"app-{shape.name}", [shape.name]) for shape in _SHAPES]
    spec = spec_of(world, _SHAPES, services=services)
    spec["networks"] = [{"name": name, "gateway": {"address": address}} for name, address in _GATEWAYS.items()]
    spec["istio"]["charts"]["also"] = [{"chart": "gateway"}]
    spec["clusters"] = [entry_of(shape, primary=_PRIMARY[shape.name] == shape.name) for shape in _SHAPES]
    for entry in spec["clusters"]:
        if entry["role"] == "remote":
            entry["primary"] = _PRIMARY[entry["name"]]
        elif entry["name"] != "hub":
            del entry["controlPlane"]  # its remote is in another network, and comes in by the gateway
    begin(world, _SHAPES, spec)
    names = [shape.name for shape in _SHAPES]
    for primary in ("hub", _HUB_2.name):
        known(world, *(name for name in names if name != primary), primary=primary)
    for name in names:
        world.deploy(name, f"app-{name}")
    for name in names:
        world.ready(name, f"app-{name}", 240)
    pairs = list(itertools.permutations(names, 2))
    for caller, there in pairs:
        one = partial(served, world, caller, f"app-{caller}", f"app-{there}.shop", there)
        wait_for(f"{caller} reaches {there}", one, 60)
    with ExitStack() as streams:
        counts = [
            streams.enter_context(world.stream(caller, f"app-{caller}", f"app-{there}.shop", pause=0.2))
            for caller, there in pairs
        ]
        time.sleep(10)
    for each in counts:
        none_failed(world, each, 10)
    world.saw(f"{len(pairs)} ways between {len(names)} clusters, each a stream of requests")

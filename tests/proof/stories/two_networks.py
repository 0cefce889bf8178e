"""Two networks whose pods can't reach each other, and have the same addresses: requests go by the gateways."""

from __future__ import annotations

import time
from functools import partial

from proof.cluster import Shape
from proof.running import FailedError, wait_for
from proof.stories.from_nothing import begin, known, served
from proof.stories.membership import none_failed
from proof.world import World
from proof.written import HUB, SHOP, service, spec_of

CLOUD = Shape("cloud-1", "10.3.0.10", HUB.pods, "10.113.0.0/16", network="cloud", region="us-east")
_GATEWAYS = {"corp": "203.0.113.7", "cloud": "203.0.113.8"}
_NAME = "outbound|8080||web.shop.svc.cluster.local"


def tell(world: World) -> None:
    shapes = (HUB, CLOUD)
    spec = spec_of(world, shapes, services=[service("web", [CLOUD.name]), service("front", ["hub"])])
    spec["networks"] = [{"name": name, "gateway": {"address": address}} for name, address in _GATEWAYS.items()]
    spec["istio"]["charts"]["also"] = [{"chart": "gateway"}]
    begin(world, shapes, spec)
    known(world, CLOUD.name)
    for cluster in ("hub", CLOUD.name):
        pod = world.kubelets[cluster].find("istio-eastwestgateway")
        images = [each["image"] for each in pod.body["spec"]["containers"]]
        if "auto" in images:
            raise FailedError(f"{cluster}: the gateway's pod was made without an image")
    world.saw("the pods of both gateways were made after the webhook, in Flux's first sync")
    world.deploy("hub", "front")
    world.deploy(CLOUD.name, "web")
    world.ready("hub", "front")
    world.ready(CLOUD.name, "web")
    wait_for("the hub knows web by its gateway", partial(_knows, world, "203.0.113.8:15443"), 60)
    wait_for("a request crosses", partial(served, world, "hub", "front", "web.shop", CLOUD.name), 30)
    with world.stream("hub", "front", "web.shop", pause=0.02) as counts:
        wait_for("the other way", partial(served, world, CLOUD.name, "web", "front.shop", "hub"), 30)
        time.sleep(4)
    none_failed(world, counts, 50)
    address = world.kubelets[CLOUD.name].find("web").net.address
    world.deploy("hub", "stranger", "default", injected=False)
    world.ready("hub", "stranger")
    answer = world.call_address("hub", "stranger", address, f"web.{SHOP}")
    if answer.get("cluster") == CLOUD.name:
        raise FailedError(f"a pod of {CLOUD.name} is reached by its own address: {answer}")
    world.saw("the endpoint of web is the gateway's address and 15443; by its own address its pod can't be reached")


def _knows(world: World, endpoint: str) -> bool:
    found = world.endpoints("hub", "front", _NAME)
    if found != [endpoint]:
        raise FailedError(f"the hub's sidecar has {found}")
    return True

"""A gateway is lost, then a whole cluster: calls fail over where rules say so, and as `meshc path` said before."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import yaml

from proof.cluster import Shape
from proof.running import FailedError, wait_for
from proof.stories.from_nothing import begin, known
from proof.world import Counts, World
from proof.written import EDGE_2, HUB, SHOP, service, spec_of

CLOUD = Shape("cloud-1", "10.3.0.10", HUB.pods, "10.113.0.0/16", network="cloud", region="us-east")
_SHAPES = (HUB, EDGE_2, CLOUD)
_GATEWAYS = {"corp": "203.0.113.7", "cloud": "203.0.113.8"}
_APPS = ("far", "near", "safe")
_WATCHES = {
    "outlierDetection": {
        "consecutive5xxErrors": 1,
        "interval": "1s",
        "baseEjectionTime": "15s",
        "maxEjectionPercent": 100,
    },
    "connectionPool": {"tcp": {"connectTimeout": "1s"}},
}
_TO_CLOUD = {"localityLbSetting": {"enabled": True, "failover": [{"from": HUB.region, "to": CLOUD.region}]}}
_RULES: Mapping[str, Mapping[str, Any]] = {"far": {"loadBalancer": _TO_CLOUD, **_WATCHES}, "safe": _WATCHES}
"""`near` has only trafficDistribution, which `safe` has too."""


def tell(world: World) -> None:
    _begin(world)
    for app, there in (("far", CLOUD.name), ("near", EDGE_2.name), ("safe", EDGE_2.name)):
        wait_for(f"{app} is answered in {there} alone", partial(_only, world, app, there), 60)
    world.saw("far is answered in the region that its rule names, near and safe in the caller's own network")
    _lose_gateway(world)
    said = {app: _path(world, app, EDGE_2.name) for app in _APPS}
    _lose_cluster(world, said)
    _leave(world)


def _begin(world: World) -> None:
    homes = [EDGE_2.name, CLOUD.name]
    services = [service("far", homes), service("front", ["hub"])]
    for app in ("near", "safe"):
        services.append({"name": app, "manifests": f"services/{app}.yaml", "clusters": homes})
    spec = spec_of(world, _SHAPES, services=services)
    spec["networks"] = [{"name": name, "gateway": {"address": address}} for name, address in _GATEWAYS.items()]
    spec["istio"]["charts"]["also"] = [{"chart": "gateway"}]
    spec["clusters"][0]["resources"] = ["rules.yaml"]
    rules = [
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "DestinationRule",
            "metadata": {"name": app, "namespace": SHOP},
            "spec": {"host": f"{app}.{SHOP}.svc.cluster.local", "trafficPolicy": policy},
        }
        for app, policy in _RULES.items()
    ]
    (world.mesh.folder / "rules.yaml").write_text(yaml.safe_dump_all(rules))
    (world.mesh.folder / "services").mkdir()
    for app in ("near", "safe"):
        body = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": app, "namespace": SHOP},
            "spec": {
                "selector": {"app": app},
                "ports": [{"name": "http", "port": 8080}],
                "trafficDistribution": "PreferClose",
            },
        }
        (world.mesh.folder / f"services/{app}.yaml").write_text(yaml.safe_dump(body))
    begin(world, _SHAPES, spec)
    known(world, EDGE_2.name, CLOUD.name)
    world.deploy("hub", "front")
    for name in homes:
        world.deploy(name, "far")
        for app in ("near", "safe"):
            world.deploy(name, app, trafficDistribution="PreferClose")
    world.ready("hub", "front")
    for name in homes:
        for app in _APPS:
            world.ready(name, app, 240)


def _lose_gateway(world: World) -> None:
    """The only pod of the cloud's gateway goes: its address takes no connection any more."""
    cloud = world.clusters[CLOUD.name]
    with world.stream("hub", "front", f"far.{SHOP}") as counts:
        time.sleep(1)
        _scale(world, 0)
        wait_for("far is answered in edge-2", partial(_only, world, "far", EDGE_2.name), 60)
        time.sleep(2)
        _scale(world, 1)
        wait_for("the gateway is back", partial(world.kubelets[cloud.name].find, "istio-eastwestgateway"), 90)
        wait_for("far is answered by the gateway again", partial(_only, world, "far", CLOUD.name), 60)
    _few_failed(world, counts)
    if set(counts.by) != {EDGE_2.name, CLOUD.name}:
        raise FailedError(f"the stream was answered by {dict(counts.by)}")
    world.saw("the cloud's gateway is lost: far is answered in the other network, and by the gateway once it is back")


def _lose_cluster(world: World, said: Mapping[str, Mapping[str, Any]]) -> None:
    with world.stream("hub", "front", f"safe.{SHOP}") as safe:
        time.sleep(1)
        world.lose(EDGE_2.name)
        wait_for("safe is answered in the cloud", partial(_only, world, "safe", CLOUD.name), 90)
        time.sleep(12)  # a request that fails takes its whole time: enough others have to be counted
    _few_failed(world, safe)
    for app in _APPS:
        ends = {end["cluster"] for end in said[app]["ends"] if not end["why"]}
        if ends != {CLOUD.name}:
            raise FailedError(f"meshc path --without {EDGE_2.name} has {app} answered by {ends}")
    _only(world, "far", CLOUD.name)
    world.saw(f"{EDGE_2.name} is lost: safe and far are answered in the cloud, as meshc path --without said")
    answer = world.call("hub", "front", f"near.{SHOP}")
    if answer.get("status") == 200 or not any("outlierDetection" in each for each in said["near"]["remarks"]):
        raise FailedError(f"near has no rule, and is answered: {answer}; meshc path says {said['near']['remarks']}")
    world.saw("near, which has no outlierDetection, still goes to the lost cluster and fails: meshc path said it")


def _leave(world: World) -> None:
    """What is lost for good is taken out of mesh.yaml: istiod forgets its endpoints."""
    spec = world.mesh.read()
    spec["clusters"] = [each for each in spec["clusters"] if each["name"] != EDGE_2.name]
    for entry in spec["services"]:
        entry["clusters"] = [each for each in entry["clusters"] if each != EDGE_2.name]
    world.mesh.write(spec)
    world.mesh.meshc("compile")
    world.apply(f"{EDGE_2.name} is lost")
    for app in _APPS:
        wait_for(f"{app} is answered in the cloud", partial(_only, world, app, CLOUD.name), 60)
    world.saw("taken out of mesh.yaml, the lost cluster is forgotten: all three are answered in the cloud")


def _few_failed(world: World, counts: Counts) -> None:
    """An Envoy finds out by requests that fail: a few do, each time that it tries the lost place again."""
    if counts.count < 50 or len(counts.failed) > counts.count / 10:
        raise FailedError(f"{len(counts.failed)} of {counts.count} requests failed, the first: {counts.failed[:1]}")
    world.saw(f"{counts.count} requests meanwhile, {len(counts.failed)} failed, answered by {dict(counts.by)}")


def _only(world: World, app: str, there: str) -> bool:
    for _ in range(20):
        answer = world.call("hub", "front", f"{app}.{SHOP}")
        if answer.get("cluster") != there:
            raise FailedError(str(answer))
    return True


def _path(world: World, app: str, lost: str) -> Mapping[str, Any]:
    text = world.mesh.meshc("path", "hub", f"{SHOP}/{app}", "--without", lost, "--format", "json")
    return dict(json.loads(text))


def _scale(world: World, replicas: int) -> None:
    where = ("-n", "istio-system", "deployment", "istio-eastwestgateway")
    world.clusters[CLOUD.name].kubectl("scale", *where, f"--replicas={replicas}")

"""What `meshc path` says of each call is what istiod tells the caller's sidecar: endpoints by network and gateway.

Services by chance: where they run, and who has a copy of them. Three clusters, two of them in one network.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from proof.cluster import Shape
from proof.running import FailedError, wait_for
from proof.stories.from_nothing import begin, known
from proof.world import World
from proof.written import EDGE_1, HUB, SHOP, service, spec_of

CLOUD = Shape("cloud-1", "10.3.0.10", HUB.pods, "10.113.0.0/16", network="cloud", region="us-east")
_SHAPES = (HUB, EDGE_1, CLOUD)
_GATEWAYS = {"corp": "203.0.113.7", "cloud": "203.0.113.8"}
_SERVICES = 6
_NAMES = 60
"""Services without pods of their own: each selects the caller's pod of every cluster in which it runs."""
_SEED = 11


def tell(world: World) -> None:
    chance = random.Random(_SEED)
    names = [shape.name for shape in _SHAPES]
    homes = {f"s{number}": chance.sample(names, chance.randint(1, 2)) for number in range(_SERVICES)}
    copies = {app: chance.sample(names, chance.randint(1, 3)) for app in homes}
    entries = [service(app, there, copyTo=copies[app]) for app, there in homes.items()]
    shared = {f"n{number}": chance.sample(names, chance.randint(1, 3)) for number in range(_NAMES)}
    entries += [service(app, there, copyTo=chance.sample(names, chance.randint(1, 3))) for app, there in shared.items()]
    spec = spec_of(world, _SHAPES, services=[*entries, *(service(f"caller-{name}", [name]) for name in names)])
    spec["networks"] = [{"name": name, "gateway": {"address": address}} for name, address in _GATEWAYS.items()]
    spec["istio"]["charts"]["also"] = [{"chart": "gateway", "clusters": ["hub", CLOUD.name]}]
    begin(world, _SHAPES, spec)
    known(world, EDGE_1.name, CLOUD.name)
    for name in names:
        world.deploy(name, f"caller-{name}")
    for app, there in homes.items():
        for name in there:
            world.deploy(name, app)
    for name in names:
        world.ready(name, f"caller-{name}", 240)
    for app, there in homes.items():
        for name in there:
            world.ready(name, app, 240)
    for name in names:
        _select_caller(world, name, [app for app, there in shared.items() if name in there])
    calls = [(caller, app) for caller in names for app in homes]
    every = [*calls, *((caller, app) for caller in names for app in shared)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        told = dict(zip(every, pool.map(lambda call: _told(world, *call), every), strict=True))
    for (caller, app), route in told.items():
        wait_for(f"{caller} is told of {app} what meshc says", partial(_agrees, world, caller, app, route), 60)
    named = [call for call in calls if told[call]["resolves"]]
    for caller, app in named:
        answer = wait_for(f"{caller} is answered by {app}", partial(_answered, world, caller, app), 30)
        if answer not in homes[app]:
            raise FailedError(f"{caller} is answered by {app} in {answer}, which runs in {homes[app]}")
    for caller, app in {*calls} - {*named}:
        if world.clusters[caller].api.get(f"/api/v1/namespaces/{SHOP}/services/{app}") is not None:
            raise FailedError(f"{app} resolves in {caller}, and meshc path says that it doesn't")
    if len(named) in (0, len(calls)):
        raise FailedError("every name resolves, or none does: the services of this seed show nothing")
    world.saw(f"{len(every)} calls to {len(homes) + len(shared)} services have the endpoints that meshc path says")
    world.saw(f"{len(named)} of {len(calls)} names resolve, as meshc path says, and are answered")


def _select_caller(world: World, cluster: str, apps: Sequence[str]) -> None:
    """Services that select the pod of this cluster's caller."""
    spec = {"selector": {"app": f"caller-{cluster}"}, "ports": [{"name": "http", "port": 8080}]}
    items = [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": app, "namespace": SHOP}, "spec": spec}
        for app in apps
    ]
    body = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    world.clusters[cluster].kubectl("apply", "--server-side", "-f", "-", stdin=body)


def _agrees(world: World, caller: str, app: str, route: Mapping[str, Any]) -> bool:
    expected = _expected(world, route, app)
    found = world.endpoints(caller, f"caller-{caller}", _of(app))
    if expected != found:
        raise FailedError(f"meshc path says {expected}, and the sidecar has {found}")
    return True


def _answered(world: World, caller: str, app: str) -> str:
    answer = world.call(caller, f"caller-{caller}", f"{app}.{SHOP}")
    if not answer.get("cluster"):
        raise FailedError(str(answer))
    return str(answer["cluster"])


def _of(app: str) -> str:
    return f"outbound|8080||{app}.{SHOP}.svc.cluster.local"


def _told(world: World, caller: str, app: str) -> Mapping[str, Any]:
    return dict(json.loads(world.mesh.meshc("path", caller, f"{SHOP}/{app}", "--format", "json")))


def _expected(world: World, route: Mapping[str, Any], app: str) -> list[str]:
    """The addresses that the route comes to: those of pods, or of gateways, each once."""
    found: set[str] = set()
    for end in route["ends"]:
        if not end["why"]:
            pod = app if app.startswith("s") else f"caller-{end['cluster']}"
            found |= set(end["gateways"]) or {f"{world.kubelets[end['cluster']].find(pod).net.address}:8080"}
    return sorted(found)

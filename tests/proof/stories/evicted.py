"""A compromised remote is evicted: credentials, account and mesh.yaml. Its sidecars get no certificate any more."""

from __future__ import annotations

import signal
import time
from functools import partial

from proof.running import FailedError, wait_for
from proof.stories.membership import none_failed
from proof.world import World
from proof.written import EDGE_2

_SECRET = f"/api/v1/namespaces/istio-system/secrets/istio-remote-secret-{EDGE_2.name}"
_ACCOUNT = "/api/v1/namespaces/istio-system/serviceaccounts/istio-reader-service-account"
_LONG = 25.0  # seconds in which a sidecar that is believed is ready again


def tell(world: World) -> None:
    hub, edge = world.clusters["hub"], world.clusters[EDGE_2.name]
    _restart(world)
    wait_for("a sidecar of edge-2 that starts anew is ready", partial(world.kubelets[EDGE_2.name].find, "guest"), 60)
    edge.kubectl("delete", "deployment", "web", "-n", "shop")
    time.sleep(3)
    with world.stream("hub", "front", "web.shop") as counts:
        edge.api.delete(_ACCOUNT)
        spec = world.mesh.read()
        spec["clusters"] = [each for each in spec["clusters"] if each["name"] != EDGE_2.name]
        for service in spec["services"]:
            service["clusters"] = [each for each in service["clusters"] if each != EDGE_2.name]
        world.mesh.write(spec)
        (world.mesh.folder / f"sealed/hub/remote-secret-{EDGE_2.name}.yaml").unlink()
        world.mesh.meshc("compile")
        world.apply("edge-2 is evicted")
        wait_for("its secret is pruned", lambda: hub.api.get(_SECRET) is None, 60)
    none_failed(world, counts)
    _restart(world)
    time.sleep(_LONG)
    pod = next(pod for pod in world.kubelets[EDGE_2.name].pods.values() if pod.labels.get("app") == "guest")
    if pod.ready:
        raise FailedError("a sidecar of the evicted cluster started anew, and got a certificate")
    world.saw(f"its secret is pruned; its sidecar, started anew, isn't ready after {_LONG:.0f} s, as it was before")


def _restart(world: World) -> None:
    """Kills the sidecar of a pod there; its node starts it again."""
    pod = world.kubelets[EDGE_2.name].find("guest")
    pod.running["istio-proxy"].signal(signal.SIGKILL)
    wait_for("the sidecar is down", lambda: not pod.ready, 20)

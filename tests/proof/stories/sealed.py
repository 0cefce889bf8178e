"""Secrets sealed for the sealed-secrets controller of each cluster: the real controller opens what meshc places."""

from __future__ import annotations

from functools import partial

from proof import programs
from proof.running import FailedError, run, wait_for
from proof.stories.from_nothing import begin, each_way, known
from proof.world import World
from proof.written import EDGE_1, HUB, service, spec_of

_SHAPES = (HUB, EDGE_1)
_NAMESPACE = "kube-system"
_SEALED = "/apis/bitnami.com/v1alpha1/namespaces/istio-system/sealedsecrets"


def tell(world: World) -> None:
    services = [service("web", ["edge-1"]), service("front", ["hub"])]
    spec = spec_of(world, _SHAPES, services=services)
    spec["security"]["secrets"] = {"backend": "sealed-secrets"}
    begin(world, _SHAPES, spec, install)
    known(world, "edge-1")
    opened = [each["metadata"]["name"] for each in world.clusters["hub"].api.items(_SEALED) if _is_open(each)]
    if sorted(opened) != ["cacerts", "istio-remote-secret-edge-1"]:
        raise FailedError(f"the controller opened {opened}")
    world.saw(f"the controller opened {' and '.join(sorted(opened))}")
    for cluster, app in (("hub", "front"), ("edge-1", "web")):
        world.deploy(cluster, app)
    for cluster, app in (("hub", "front"), ("edge-1", "web")):
        world.ready(cluster, app)
    each_way(world)


def install(world: World) -> None:
    """A person installs the controller's chart in each cluster, and fetches its certificate."""
    chart = programs.source(programs.SEALED) / "helm/sealed-secrets"
    for name, cluster in world.clusters.items():
        where = ("--kubeconfig", cluster.kubeconfig, "--namespace", _NAMESPACE)
        run(programs.system("helm"), "install", "sealed-secrets", chart, *where, limit=120)
        pod = wait_for(f"{name}: the controller is ready", partial(_controller, world, name), 90)
        target = world.mesh.folder / f"certificates/{name}/sealing-cert.pem"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(run("curl", "-sf", f"http://{pod}:8080/v1/cert.pem", namespace=name))


def _controller(world: World, cluster: str) -> str | None:
    wanted = {"app.kubernetes.io/name": "sealed-secrets"}.items()
    for pod in world.kubelets[cluster].pods.values():
        if wanted <= pod.labels.items() and pod.ready:
            return pod.net.address
    raise FailedError(str([pod.state for pod in world.kubelets[cluster].pods.values()]))


def _is_open(body: dict[str, dict[str, list[dict[str, str]]]]) -> bool:
    conditions = (body.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Synced" and each["status"] == "True" for each in conditions)

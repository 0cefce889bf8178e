"""Two primaries, whose charts a person installs after Flux's first sync: only what needs chart base waits."""

from __future__ import annotations

from functools import partial

from proof import programs
from proof.api import Api
from proof.mesh import CHARTS
from proof.running import FailedError, run, wait_for
from proof.world import World
from proof.written import EDGE_1, HUB, entry_of, spec_of

_SECRETS = "/api/v1/namespaces/istio-system/secrets"
_TOKEN = f"{_SECRETS}/istio-reader-service-account-istio-remote-secret-token"
_SHAPES = (HUB, EDGE_1)


def tell(world: World) -> None:
    names = [shape.name for shape in _SHAPES]
    spec = spec_of(world, ())
    spec["networks"] = [{"name": "corp"}]
    spec["clusters"] = [entry_of(shape, primary=True) for shape in _SHAPES]
    for cluster in spec["clusters"]:
        cluster.pop("controlPlane")
    del spec["istio"]["charts"]
    world.start(*_SHAPES)
    mesh = world.mesh
    mesh.write(spec)
    mesh.meshc("ca", "init", "--key-out", mesh.root_key)
    mesh.meshc("ca", "issue", "--root-key", mesh.root_key)
    mesh.meshc("compile")
    flux = world.start_flux("hub")
    commit = mesh.commit("two primaries")
    flux.take_root()
    flux.offer(commit)
    flux.applied(commit, *names, later=False)
    for name in names:
        api = world.clusters[name].api
        if api.get(f"{_SECRETS}/cacerts") is None:
            raise FailedError(f"{name}: cacerts isn't there before chart base")
        if api.get(_TOKEN) is not None:
            raise FailedError(f"{name}: the token's Secret is there before its account")
    world.saw("without Istio's kinds, cacerts is applied; policies and tokens wait")
    for name in names:
        _install(world, name, "base", "istio-base")
    flux.apply_now(*names)
    for name in names:
        api = world.clusters[name].api
        wait_for(f"{name}: the token is filled", partial(_is_filled, api), 30)
        if not api.items("/apis/security.istio.io/v1/namespaces/istio-system/peerauthentications"):
            raise FailedError(f"{name}: no policy was applied")
    world.saw("after helm install of base with the printed values, both are there")
    said = mesh.meshc("capture", "credentials", *names, "--yes", expect=(4,))
    if f"install chart istiod in {names[0]}" not in said:
        raise FailedError(f"capture doesn't say which chart has the account's role: {said}")
    for name in names:
        _install(world, name, "istiod", "istiod", "--set", "autoscaleEnabled=false")
    mesh.meshc("capture", "credentials", *names, "--yes")
    world.saw("each primary's credentials are captured for the other")


def _is_filled(api: Api) -> bool:
    return bool((api.get(_TOKEN) or {}).get("data"))


def _install(world: World, name: str, chart: str, release: str, *more: str) -> None:
    values = world.mesh.keys / f"{name}-{chart}.yaml"
    values.write_text(world.mesh.meshc("values", name, "--chart", chart))
    folder = programs.source(programs.ISTIO) / "manifests/charts" / CHARTS[chart]
    where = ("--kubeconfig", world.clusters[name].kubeconfig, "--namespace", "istio-system")
    run(programs.system("helm"), "install", release, folder, *where, "--values", values, *more, limit=120)

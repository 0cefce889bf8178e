"""A remote's token is rotated, and its reader's rights are taken away."""

from __future__ import annotations

from functools import partial

from proof.running import FailedError, wait_for
from proof.stories.from_nothing import known
from proof.stories.membership import none_failed
from proof.world import World

_SECRETS = "/api/v1/namespaces/istio-system/secrets"
_BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"


def rotate(world: World) -> None:
    with world.stream("hub", "front", "web.shop") as counts:
        before = _tokens(world)
        world.mesh.meshc("capture", "credentials", "edge-1", "--rotate", "--replace", "--yes")
        world.mesh.meshc("compile")
        world.apply("another token of edge-1")
        known(world, "edge-1")
        world.mesh.meshc("capture", "credentials", "edge-1", "--prune-tokens", "--yes")
        if not before - _tokens(world):
            raise FailedError("no token of before was deleted")
        _learns(world)
    none_failed(world, counts)
    world.saw("the old token is deleted; with the new one istiod learns of a new pod in edge-1")


def take_rights(world: World) -> None:
    api = world.clusters["edge-1"].api
    names = [each["metadata"]["name"] for each in api.items(_BINDINGS) if _is_readers(each)]
    if not names:
        raise FailedError("edge-1 has no binding of the reader's account")
    for name in names:
        api.delete(f"{_BINDINGS}/{name}")
    with world.stream("hub", "front", "web.shop") as counts:
        told = world.mesh.meshc("doctor", expect=(1,))
        if "lacks rights" not in told:
            raise FailedError(f"doctor doesn't say that rights are missing: {told}")
        world.saw(
            f"doctor ends with 1: {next(line for line in told.splitlines() if 'lacks rights' in line).strip()[:160]}"
        )
        world.running_flux().apply_now("edge-1")
        wait_for("Flux gives the rights back", partial(_healed, world, names), 60)
    none_failed(world, counts, 5)


def _healed(world: World, names: list[str]) -> bool:
    return all(world.clusters["edge-1"].api.get(f"{_BINDINGS}/{name}") for name in names)


def _is_readers(binding: dict[str, object]) -> bool:
    return "istio-reader-service-account" in str(binding.get("subjects"))


def _tokens(world: World) -> set[str]:
    found = world.clusters["edge-1"].api.items(_SECRETS)
    return {each["metadata"]["uid"] for each in found if each["type"] == "kubernetes.io/service-account-token"}


def _learns(world: World) -> None:
    """A second pod of web, whose address only the new token can tell istiod."""
    world.deploy("edge-1", "web", replicas=2)
    host = "outbound|8080||web.shop.svc.cluster.local"
    wait_for("the hub's sidecar knows two pods of web", lambda: len(world.endpoints("hub", "front", host)) == 2, 60)
    world.deploy("edge-1", "web")
    wait_for("the hub's sidecar knows one pod of web", lambda: len(world.endpoints("hub", "front", host)) == 1, 60)

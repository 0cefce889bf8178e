"""The root CA is replaced in its three steps while requests flow: none may fail, and no step comes too early."""

from __future__ import annotations

import base64
from functools import partial
from pathlib import Path
from typing import Any

from proof.running import FailedError, wait_for
from proof.stories.membership import none_failed
from proof.world import World

_PODS = (("hub", "front"), ("edge-1", "web"))


def tell(world: World) -> None:
    mesh = world.mesh
    new_key, new_root = mesh.keys / "new.key", mesh.folder / "new-root.pem"
    mesh.meshc("ca", "init", "--key-out", new_key, "--certificate", new_root)
    old = _issuer(world)
    with (
        world.stream("hub", "front", "web.shop") as out,
        world.stream("edge-1", "web", "front.shop") as back,
    ):
        _step(world, 2, "--new-root", new_root)
        _too_early(world, "--root-key", new_key)
        _step(world, 2, "--root-key", new_key, "--workloads-restarted")
        wait_for("every sidecar has a certificate of the new CA", partial(_moved_on, world, old), 120)
        _too_early(world)
        _step(world, 1, "--workloads-restarted")
    for counts in (out, back):
        none_failed(world, counts, 100)
    world.saw("both roots, the new CAs, the old root gone: each step seen in every sidecar, two refused too early")
    mesh.root_key = new_key
    mesh.meshc("check")


def _step(world: World, roots: int, *arguments: str | Path) -> None:
    world.mesh.meshc("ca", "rotate-root", *arguments)
    world.mesh.meshc("compile")
    world.apply("a step of the root's replacement")
    what = f"every sidecar trusts {roots} roots"
    wait_for(what, lambda: all(len(_roots(world, *pod)) == roots for pod in _PODS), 150, 1)


def _too_early(world: World, *arguments: str | Path) -> None:
    text = world.mesh.meshc("ca", "rotate-root", *arguments, expect=(5,))
    if "wait" not in text and "not before" not in text and "allowed" not in text:
        raise FailedError(f"refused, but not for being too early: {text}")


def _moved_on(world: World, old: dict[str, str]) -> bool:
    return all(name != old[cluster] for cluster, name in _issuer(world).items())


def _roots(world: World, cluster: str, app: str) -> list[str]:
    """The certificates of roots that a sidecar trusts, as its Envoy holds them."""
    for secret in _secrets(world, cluster, app):
        if secret["name"] == "ROOTCA":
            data = secret["secret"]["validation_context"]["trusted_ca"]["inline_bytes"]
            parts = base64.b64decode(data).decode().split("-----BEGIN CERTIFICATE-----")[1:]
            return sorted({part.strip() for part in parts})
    return []


def _issuer(world: World) -> dict[str, str]:
    """The intermediate CA that each sidecar shows along with its own certificate."""
    found = {}
    for cluster, app in _PODS:
        for secret in _secrets(world, cluster, app):
            if secret["name"] == "default":
                data = secret["secret"]["tls_certificate"]["certificate_chain"]["inline_bytes"]
                parts = base64.b64decode(data).decode().split("-----BEGIN CERTIFICATE-----")
                found[cluster] = parts[2].strip()
    return found


def _secrets(world: World, cluster: str, app: str) -> list[dict[str, Any]]:
    dump = world.sidecar(cluster, app, "config_dump?resource=dynamic_active_secrets")
    return list(dump["configs"])

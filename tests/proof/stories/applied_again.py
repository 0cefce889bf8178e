"""Flux applies the same commit again: nothing in any cluster changes."""

from __future__ import annotations

import time

from proof.running import FailedError
from proof.world import World


def tell(world: World) -> None:
    flux = world.running_flux()
    before = {name: world.versions(name) for name in world.clusters}
    for _ in range(2):
        flux.apply_now(*world.clusters)
        time.sleep(2)  # for istiod, to answer what it dislikes
    after = {name: world.versions(name) for name in world.clusters}
    for name in world.clusters:
        if moved := sorted(key for key in before[name] if before[name][key] != after[name].get(key)):
            raise FailedError(f"{name}: applied again, these changed: {', '.join(moved)}")
        if len(before[name]) < 5:
            raise FailedError(f"{name}: only {len(before[name])} objects were looked at")
        world.saw(f"{name}: {len(before[name])} objects keep their resourceVersion through two more applies")

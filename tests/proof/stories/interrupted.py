"""An API server that freezes, Flux killed half way, `meshc publish` killed: nothing wrong is applied, and it heals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from proof.running import FailedError, wait_for
from proof.stories.from_nothing import known, served
from proof.stories.membership import none_failed
from proof.world import World
from proof.written import SHOP, service

_SERVICES = f"/api/v1/namespaces/{SHOP}/services"
_MANY = 40  # copies: enough that Flux, which makes five a second, is met half way
_KILLS = 6


def freeze(world: World) -> None:
    """The API server takes connections and says nothing, as one does whose disk hangs."""
    server = world.clusters["edge-1"].running["api"]
    with world.stream("hub", "front", "web.shop") as counts:
        server.signal(signal.SIGSTOP)
        try:
            spec = world.mesh.read()
            spec["services"].append(service("later", ["hub"]))
            world.mesh.write(spec)
            world.mesh.meshc("compile")
            flux = world.running_flux()
            commit = world.mesh.commit("a Service more, while the API server of edge-1 hangs")
            flux.offer(commit)
            flux.applied(commit, "hub")
            began = time.monotonic()
            text = world.mesh.meshc("doctor", "edge-1", "--timeout", "3", expect=(4,))
            seconds = time.monotonic() - began
        finally:
            server.signal(signal.SIGCONT)
        if "edge-1" not in text or seconds > 20:
            raise FailedError(f"doctor took {seconds:.0f} s, and says: {text}")
        flux.apply_now("edge-1", seconds=180)
        wait_for("edge-1 got the copy", lambda: world.clusters["edge-1"].api.get(f"{_SERVICES}/later"), 60)
        known(world, "edge-1")
    none_failed(world, counts)
    wait_for("edge-1 reaches the hub", partial(served, world, "edge-1", "web", "front.shop", "hub"), 60)
    world.saw("the hub goes on, doctor ends with 4 in its time, and edge-1 gets what it had missed")


def stop_flux(world: World) -> None:
    """Flux is killed in the middle of applying, and in the middle of pruning."""
    spec = world.mesh.read()
    kept = list(spec["services"])
    with world.stream("hub", "front", "web.shop") as counts:
        before = _copies(world)
        spec["services"] = [*kept, *(service(f"many-{number:03}", ["hub"]) for number in range(_MANY))]
        seen = _half_way(world, spec, lambda: len(_copies(world) - before))
        if _copies(world) < before:
            raise FailedError("something went along when Flux was killed")
        _goes_on(world)
        if len(_copies(world) - before) != _MANY:
            raise FailedError(f"{len(_copies(world) - before)} of {_MANY} copies came")
        world.saw(f"killed after {seen} of {_MANY} new copies, Flux makes the rest when it starts again")
        spec["services"] = kept
        full = len(_copies(world))
        seen = _half_way(world, spec, lambda: full - len(_copies(world)))
        _goes_on(world)
        wait_for("the copies are pruned, and no other", lambda: _copies(world) == before, 60)
        world.saw(f"killed after {seen} of {_MANY} were pruned, it prunes the rest, and nothing else")
    none_failed(world, counts)


def kill_publish(world: World) -> None:
    """`meshc publish` is killed at any time: the branch is as before or as wanted, never between."""
    mesh = world.mesh
    mesh.meshc("publish", "--branch", "deploy")
    _change(world, 0)
    began = time.monotonic()
    mesh.meshc("publish", "--branch", "deploy")
    whole = time.monotonic() - began
    old = done = number = 0
    while number < _KILLS or (number < 2 * _KILLS and not (old and done)):
        number += 1
        before = _trees(world, "deploy")
        _change(world, number)
        wanted = _trees(world, "HEAD")
        seconds = whole * (number / _KILLS) ** 2 if number <= _KILLS or old else whole / number
        _publish_killed(mesh.folder, seconds)
        now = _trees(world, "deploy")
        if now not in (before, wanted):
            raise FailedError(f"killed after {seconds:.1f} s, the branch holds something else")
        mesh.git("fsck", "--strict")
        if left := mesh.git("status", "--porcelain"):
            raise FailedError(f"killed after {seconds:.1f} s, the work tree differs: {left}")
        old, done = old + (now == before), done + (now == wanted)
    mesh.meshc("publish", "--branch", "deploy")
    if _trees(world, "deploy") != _trees(world, "HEAD"):
        raise FailedError("the last publish, which nobody killed, isn't what was compiled")
    if not old or not done:
        raise FailedError(f"killed {number} times, {old} times before and {done} times after: this shows nothing")
    flux = world.running_flux()
    tip = mesh.git("rev-parse", "deploy")
    flux.offer(tip)
    flux.applied(tip, *world.clusters)
    world.saw(f"killed {number} times: {old} times the branch was as before, {done} times as wanted; Flux applies it")


def _half_way(world: World, spec: dict[str, Any], moved: Callable[[], int]) -> int:
    """Commits, and kills Flux once it has begun; how many copies had come or gone by then."""
    world.mesh.write(spec)
    world.mesh.meshc("compile")
    flux = world.running_flux()
    flux.offer(world.mesh.commit("many Services"))
    wait_for("Flux begins", moved, 90, 0.01)
    flux.hub.running["flux"].signal(signal.SIGKILL)
    time.sleep(1)
    seen = moved()
    if not 0 < seen < _MANY:
        raise FailedError(f"Flux was through already: {seen} of {_MANY}")
    return seen


def _goes_on(world: World) -> None:
    flux = world.running_flux()
    flux.start()
    flux.applied(world.mesh.git("rev-parse", "HEAD"), *world.clusters)


def _change(world: World, number: int) -> None:
    spec = world.mesh.read()
    spec["services"] = [each for each in spec["services"] if not each["name"].startswith("kill-")]
    spec["services"].append(service(f"kill-{number}", ["hub"]))
    world.mesh.write(spec)
    world.mesh.meshc("compile")
    world.mesh.commit(f"change {number}")


def _trees(world: World, commit: str) -> list[str]:
    return [world.mesh.git("rev-parse", f"{commit}:{folder}") for folder in ("output", "overlays")]


def _publish_killed(folder: Path, seconds: float) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    argv = [sys.executable, "-m", "meshc", "publish", "--branch", "deploy"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        argv, cwd=folder, env={**os.environ, "PATH": path}, stdout=quiet, stderr=quiet, start_new_session=True
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _copies(world: World) -> set[str]:
    return {str(each["metadata"]["name"]) for each in world.clusters["edge-1"].api.items(_SERVICES)}

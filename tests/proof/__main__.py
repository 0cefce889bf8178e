"""`make proof`: builds the programs, tells the stories in namespaces of their own, prints a table of what was seen."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from proof import programs
from proof.running import FailedError
from proof.table import Row, print_table
from proof.told import STORIES, Story
from proof.world import World

_INSIDE = "MESHC_PROOF_INSIDE"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make proof", description=__doc__)
    parser.add_argument("stories", nargs="*", help="their names; default: all")
    parser.add_argument("--build", action="store_true", help="only build the programs")
    parser.add_argument("--if-built", action="store_true", help="build nothing; end with 0 where something is missing")
    parser.add_argument("--keep", action="store_true", help="leave the last story's world running until Enter")
    wanted = parser.parse_args()
    if os.environ.get(_INSIDE):
        return _tell([story for story in _choose(wanted.stories) if _can(story)], keep=wanted.keep)
    stories = _choose(wanted.stories)
    if missing := _missing(stories, build=not wanted.if_built):
        print(f"proof: skipped: {missing}")
        return 0
    if wanted.build:
        return 0
    argv = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    inside = {**os.environ, _INSIDE: "1"}
    return subprocess.run([*argv, sys.executable, "-m", "proof", *sys.argv[1:]], env=inside, check=False).returncode


def _missing(stories: Sequence[Story], *, build: bool) -> str:
    """Why the proof can't run here; empty if it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "network namespaces need root on Linux"
    try:
        for program in programs.SYSTEM:
            programs.system(program)
        if build:
            programs.build()
            _build_more(stories)
        for module in programs.MODULES:
            programs.require(module)
        programs.envoy()
    except programs.MissingError as error:
        return str(error)
    return ""


def _build_more(stories: Sequence[Story]) -> None:
    for module in dict.fromkeys(module for story in stories for module in story.needs):
        try:
            programs.build([module])
        except programs.MissingError as error:
            print(f"proof: {error}")


def _can(story: Story) -> bool:
    """Whether the programs are there that this story needs besides those of every run; says what is missing."""
    try:
        for module in story.needs:
            programs.require(module)
    except programs.MissingError as error:
        print(f"{story.name}: skipped: {error}")
        return False
    return True


def _choose(names: list[str]) -> list[Story]:
    known = {story.name: story for story in STORIES}
    if unknown := set(names) - set(known):
        raise SystemExit(f"no story {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return [known[name] for name in names] or list(STORIES)


def _tell(stories: list[Story], *, keep: bool) -> int:
    """Stories that go on from another are told in the world that it left, as long as none of them fails."""
    Path("/run/netns").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "netns", "/run/netns"], check=True)
    rows: list[Row] = []
    world: World | None = None
    told: list[str] = []
    for story in stories:
        if world and (rows[-1].fault or story.after not in told):
            _end(world, keep=bool(rows[-1].fault))
            world = None
        if world is None:
            world, told = _begin(), []
        for each in [*_before(story), story]:
            if each is story or each.name not in told:
                rows.append(_one(each, world))
                told.append(each.name)
                if rows[-1].fault:
                    break
    if keep and world:
        _wait(world)
    if world:
        _end(world, keep=bool(rows[-1].fault))
    print_table(rows)
    return 1 if any(row.red for row in rows) else 0


def _before(story: Story) -> list[Story]:
    """The stories whose world this one goes on with, from the first on."""
    if not story.after:
        return []
    (earlier,) = (each for each in STORIES if each.name == story.after)
    return [*_before(earlier), earlier]


def _begin() -> World:
    folder = Path(tempfile.mkdtemp(prefix="meshc-proof-"))
    os.chdir(folder)
    logs = folder / "logs"
    logs.mkdir()
    return World(folder, logs)


def _end(world: World, *, keep: bool) -> None:
    world.end()
    os.chdir("/")
    if keep:
        print(f"    logs: {world.logs}")
    else:
        shutil.rmtree(world.scratch, ignore_errors=True)


def _one(story: Story, world: World) -> Row:
    print(f"{story.name}: {story.shows}", flush=True)
    began, fault = time.monotonic(), ""
    world.seen, world.requests = [], 0
    try:
        story.tell(world)
    except (FailedError, AssertionError, OSError, subprocess.SubprocessError) as error:
        fault = str(error) or repr(error)
        print(f"    FAILED: {fault}", flush=True)
        for kubelet in world.kubelets.values():
            states = [f"{pod.state} (ready: {pod.ready})" for pod in kubelet.pods.values()]
            print(f"    {kubelet.cluster.name}: {'; '.join([*states, *kubelet.faults[-2:]])}")
    return Row(story, tuple(world.seen), world.requests, time.monotonic() - began, fault)


def _wait(world: World) -> None:
    print(f"still running; in another shell: nsenter --target {os.getppid()} --net --mount --pid")
    for cluster in world.clusters.values():
        print(f"  kubectl --kubeconfig {cluster.kubeconfig} get pods -A")
    print(f"  logs: {world.logs}; the repository: {world.mesh.folder}\nEnter ends it")
    sys.stdin.readline()


if __name__ == "__main__":
    sys.exit(main())

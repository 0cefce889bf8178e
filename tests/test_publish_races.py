"""Two publishers at once, branches that move, servers that refuse, killed runs: nothing is lost, nothing forced."""

from __future__ import annotations

import random
import shutil
import time
from itertools import pairwise
from pathlib import Path

import pytest

from meshc.errors import Exit
from support.processes import Running
from support.publishing import Ground

pytestmark = pytest.mark.thorough

MOVES = """#!/bin/sh
[ -e "$GIT_DIR/moves" ] || exit 0
{once}
tree=$(git rev-parse "$1^{{tree}}")
other=$(GIT_AUTHOR_NAME=o GIT_AUTHOR_EMAIL=o@o GIT_COMMITTER_NAME=o GIT_COMMITTER_EMAIL=o@o \\
    git commit-tree -p "$1" -m somebody "$tree")
git update-ref "$1" "$other"
"""


def moving(far: Path, *, once: bool) -> None:
    """A branch that moves the moment somebody pushes to it."""
    (far / "hooks").mkdir(exist_ok=True)
    (far / "hooks/update").write_text(MOVES.format(once='rm "$GIT_DIR/moves"' if once else ""))
    (far / "hooks/update").chmod(0o755)
    (far / "moves").touch()


@pytest.fixture
def far(ground: Ground) -> Path:
    """A deploy repository with a branch on which nothing is published yet."""
    far = ground.bare()
    ground.git("push", "--quiet", str(far), "main:deploy")
    return far


def test_a_branch_that_moves_is_built_on_anew(ground: Ground, far: Path) -> None:
    moving(far, once=True)

    done = ground.publish("--repo", str(far), "--branch", "deploy")

    assert done.returncode == Exit.DONE, done.stderr
    subjects = ground.git("log", "--format=%s", "deploy", cwd=far).splitlines()
    assert [subject.partition(":")[0] for subject in subjects] == ["meshc", "somebody", "the mesh"]


def test_a_branch_that_never_stands_still_is_left_alone(ground: Ground, far: Path) -> None:
    moving(far, once=False)

    done = ground.publish("--repo", str(far), "--branch", "deploy")

    assert (done.returncode, "changed 5 times" in done.stderr) == (Exit.REFUSED, True)
    assert "meshc" not in ground.git("log", "--format=%s", "deploy", cwd=far)


def test_a_server_that_refuses_is_not_asked_again(ground: Ground, far: Path) -> None:
    (far / "hooks").mkdir(exist_ok=True)
    (far / "hooks/update").write_text("#!/bin/sh\necho asked >> asked\nexit 1\n")
    (far / "hooks/update").chmod(0o755)
    before = ground.git("for-each-ref"), ground.git("status", "--porcelain")

    done = ground.publish("--push", "--remote", str(far), "--branch", "deploy")

    assert (done.returncode, (far / "asked").read_text()) == (Exit.TOOL, "asked\n")
    assert (ground.git("for-each-ref"), ground.git("status", "--porcelain")) == before


def test_a_push_of_the_branch_that_is_checked_out(ground: Ground) -> None:
    far = ground.bare()
    ground.git("remote", "add", "origin", str(far))
    ground.git("push", "--quiet", "--set-upstream", "origin", "main")

    unnamed = ground.publish("--push")
    done = ground.publish("--push", "--remote", str(far))

    assert (unnamed.returncode, "name it on the command line" in unnamed.stderr) == (Exit.REFUSED, True)
    assert done.returncode == Exit.DONE, done.stderr
    assert ground.git("rev-parse", "main") == ground.git("rev-parse", "main", cwd=far)
    assert ground.git("status", "--porcelain") == ""


def test_what_was_committed_before_is_pushed_later(ground: Ground, far: Path) -> None:
    ground.git("branch", "deploy")
    first = ground.publish("--branch", "deploy")
    later = ground.publish("--branch", "deploy", "--push", "--remote", str(far))

    assert [first.returncode, later.returncode] == [Exit.DONE] * 2, later.stderr
    assert ground.git("rev-parse", "deploy") == ground.git("rev-parse", "deploy", cwd=far)


@pytest.mark.parametrize("elsewhere", ["README.md", "mesh.yaml"])
def test_a_branch_that_moved_on_elsewhere(ground: Ground, elsewhere: str) -> None:
    """Built on if what is compiled is the same there; else a person has to look."""
    far, clone = ground.bare(), ground.folder / "clone"
    ground.git("push", "--quiet", str(far), "main")
    ground.git("clone", "--quiet", str(far), str(clone))
    with (clone / elsewhere).open("a") as file:
        file.write("# more\n")
    moved = ground.commit("more", cwd=clone)
    ground.git("push", "--quiet", "origin", "main", cwd=clone)
    before = ground.git("rev-parse", "main")

    done = ground.publish("--push", "--remote", str(far))

    assert ground.git("rev-parse", "main") == before
    assert ground.git("status", "--porcelain") == ""
    assert "git pull" in done.stderr
    if elsewhere == "mesh.yaml":
        assert (done.returncode, ground.git("rev-parse", "main", cwd=far)) == (Exit.REFUSED, moved)
    else:
        assert (done.returncode, ground.git("rev-parse", "main^", cwd=far)) == (Exit.DONE, moved)


def test_branches_that_went_apart(ground: Ground, far: Path) -> None:
    ground.publish("--branch", "deploy")

    done = ground.publish("--branch", "deploy", "--push", "--remote", str(far))

    assert (done.returncode, "have diverged" in done.stderr) == (Exit.REFUSED, True)


def test_two_publishers_at_once_lose_nothing(ground: Ground, far: Path) -> None:
    folders = {"prod": ground.mesh, "test": ground.folder / "other"}
    shutil.copytree(ground.mesh, folders["test"])
    names = ["edge-1", "edge-a", "edge-b", "edge-c"]
    for old, new in pairwise(names):
        for folder in folders.values():
            ground.change(old, new, cwd=folder)
            ground.commit(new, cwd=folder)
        running = [
            ground.start("--repo", str(far), "--branch", "deploy", "--path", path, cwd=folder)
            for path, folder in folders.items()
        ]
        ended = [process.wait() for process in running]
        assert [one.returncode for one in ended] == [Exit.DONE] * 2, [one.stderr for one in ended]

    subjects = ground.git("log", "--first-parent", "--format=%s", "deploy", cwd=far).splitlines()
    assert len([subject for subject in subjects if subject.startswith("meshc: ")]) == 2 * (len(names) - 1)
    parts = [path.split("/") for path in ground.files("deploy", cwd=far) if "edge" in path]
    assert {(path, cluster) for path, _, cluster, *_ in parts} == {("prod", "edge-c"), ("test", "edge-c")}
    ground.git("fsck", "--strict", cwd=far)


def test_the_newer_of_two_sources_wins_whoever_is_first(ground: Ground, far: Path) -> None:
    older = ground.folder / "older"
    shutil.copytree(ground.mesh, older)
    ground.change("edge-1", "branch")
    ground.commit("another name")
    ground.git("fetch", "--quiet", str(ground.mesh), "main", cwd=older)  # so that it knows the newer commit

    running = [ground.start("--repo", str(far), "--branch", "deploy", cwd=where) for where in (older, ground.mesh)]
    ended = [process.wait() for process in running]

    assert ended[1].returncode == Exit.DONE, ended[1].stderr
    assert ended[0].returncode in (Exit.DONE, Exit.REFUSED), ended[0].stderr
    assert "output/branch/namespaces.yaml" in ground.files("deploy", cwd=far)


def settled(ground: Ground, arguments: list[str]) -> None:
    """Publishes after a run that was cut short: everything is there once, and what a person staged is still staged."""
    done = ground.publish(*arguments)

    assert done.returncode == Exit.DONE, done.stderr
    assert ground.git("status", "--porcelain") == "A  notes.txt"
    assert ground.git("rev-list", "--count", "main") == "2"
    ground.git("fsck", "--strict")


@pytest.fixture
def pushing(ground: Ground) -> list[str]:
    (ground.mesh / "notes.txt").write_text("mine\n")
    ground.git("add", "notes.txt")
    return ["--push", "--remote", str(ground.bare("other.git"))]


@pytest.mark.parametrize("seed", range(4))
def test_a_run_that_is_killed_is_finished_by_the_next(ground: Ground, pushing: list[str], seed: int) -> None:
    arguments = pushing if seed % 2 else []
    started = ground.start(*arguments)
    time.sleep(random.Random(seed).uniform(0, 0.5))
    started.kill()
    started.wait()

    settled(ground, arguments)


@pytest.mark.parametrize("step", ["checkout.Checkout.take", "target.bring", "checkout.Checkout.stage"])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("pushed", [False, True])
def test_a_run_that_ends_between_two_steps(
    ground: Ground, pushing: list[str], step: str, after: bool, pushed: bool
) -> None:
    arguments = pushing if pushed else []
    owner, _, name = step.rpartition(".")
    ending = f"(real(*given), os._exit(9)) if {after} else os._exit(9)"
    lines = [
        "import os, meshc.publish.checkout as checkout, meshc.publish.target as target",
        f"real = {owner}.{name}",
        f"{owner}.{name} = lambda *given: {ending}",
        "from meshc.cli.main import run; run()",
    ]
    words = ("publish", *arguments)
    ended = Running(*words, cwd=ground.mesh, environment=ground.environment(), program="\n".join(lines)).wait()

    assert ended.returncode == 9, ended.stderr
    settled(ground, arguments)

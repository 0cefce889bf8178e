"""The whole command while the machine fails under it: killed, out of space, forbidden to write, not alone.

After each fault the trees are the old or the new ones byte for byte, at the latest when the next command has settled
what was left, and a compile then gives the new ones. test_disk.py proves this of the writer alone, call by call; here
real processes run. MESHC_TEST_LONG=1 tries hundreds of moments.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meshc.cli.main import app
from meshc.disk.repository import Repository
from meshc.errors import Exit
from meshc.tree import HEADER
from support.paths import ROOT
from support.processes import MESHC, Run, Running
from support.tools import find_tool, tries

pytestmark = pytest.mark.thorough

LONG = os.environ.get("MESHC_TEST_LONG") == "1"

Tree = dict[str, bytes]
Faults = dict[str, str]

FAULTY = """
import atexit, errno, io, os, resource, signal, sys, threading
names, at, fault = os.environ["FAULT_CALLS"].split(), os.environ["FAULT_AT"], os.environ["FAULT"]
below, told, lock, real_open = os.environ.get("FAULT_BELOW", ""), os.environ["FAULT_COUNT"], threading.Lock(), io.open
count = 0

def writes(name, args):
    if not os.fspath(args[0] if isinstance(args[0], (str, os.PathLike)) else "").startswith(below):
        return False
    if name == "open":
        return bool(args[1] & (os.O_CREAT | os.O_WRONLY | os.O_RDWR))
    return name != "io.open" or any(letter in (args[1] if len(args) > 1 else "r") for letter in "wxa+")

def wrapped(name, real):
    def call(*args, **kwargs):
        global count
        if writes(name, args):
            with lock:
                count += 1
                now = at in ("every", str(count))
            if now and fault == "KILL":
                os.kill(os.getpid(), signal.SIGKILL)
            elif now and fault == "STOP":
                os.kill(os.getpid(), signal.SIGSTOP)
            elif now:
                raise OSError(getattr(errno, fault), os.strerror(getattr(errno, fault)))
        return real(*args, **kwargs)
    return call

for name in names:
    module, word = (io, "open") if name == "io.open" else (os, name)
    setattr(module, word, wrapped(name, getattr(module, word)))

def tell():
    with real_open(told, "w") as file:
        file.write(str(count))

if "FAULT_LIMIT" not in os.environ:
    atexit.register(tell)
    leave, os._exit = os._exit, lambda code: (tell(), leave(code))
else:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["FAULT_LIMIT"]), resource.RLIM_INFINITY))
sys.argv[0] = "meshc"
from meshc.cli.main import run
run()
"""
"""meshc, with a fault at the n-th of some system calls, or at every one."""

MOVES = ("rename", "replace", "link")
WRITES = (*MOVES, "open", "io.open", "mkdir", "fsync")


@dataclass
class Tally:
    """What the faults came to."""

    faults: int = 0
    old: int = 0
    new: int = 0
    left: int = 0

    def __str__(self) -> str:
        return f"{self.faults} faults: {self.old} old, {self.new} new; {self.left} scratch folders left behind"


@dataclass(frozen=True)
class Scene:
    """A mesh whose mesh.yaml has changed since its trees were written, both states known."""

    folder: Path
    old: Tree
    new: Tree
    seconds: float
    counts: dict[object, int] = field(default_factory=dict)

    @property
    def differing(self) -> set[str]:
        """What `check` names while the old trees stand."""
        paths = {path for path in {*self.old, *self.new} if self.old.get(path) != self.new.get(path)}
        return paths - {"output/_meshc.yaml"}


@dataclass(frozen=True)
class Spot:
    """One copy of a scene, to be harmed, with a folder of its own for temporary files."""

    scene: Scene
    base: Path
    temporary: Path

    @property
    def now(self) -> Tree:
        return trees(self.base)

    def run(self, *words: str, faults: Faults | None = None) -> Run:
        """meshc to its end, whatever it meets."""
        return self.start(*words, faults=faults).wait()

    def start(self, *words: str, faults: Faults | None = None) -> Running:
        environment = {**os.environ, "NO_COLOR": "1", "TMPDIR": str(self.temporary), **(faults or {})}
        return Running(*words, cwd=self.base, environment=environment, program=FAULTY if faults else MESHC)

    def fault(self, fault: str, at: int | str, calls: tuple[str, ...], below: Path | str = "") -> Faults:
        """What makes a run fail at the n-th of these calls, at "every" one, or (0) at none, only counting."""
        names = {"FAULT": fault, "FAULT_AT": str(at), "FAULT_CALLS": " ".join(calls), "FAULT_BELOW": str(below)}
        return {**names, "FAULT_COUNT": str(self.temporary.parent / "count")}

    def count(self, calls: tuple[str, ...], *, inside: bool = False) -> int:
        """How many of these calls a whole run makes, in all or in the mesh's own folder."""
        counts = self.scene.counts
        if (calls, inside) not in counts:
            below = self.base if inside else ""
            assert self.run("compile", faults=self.fault("KILL", 0, calls, below)).returncode == Exit.DONE
            counts[calls, inside] = int((self.temporary.parent / "count").read_text())
        return counts[calls, inside]


MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: faulty}
spec:
  istio: {version: 1.29.6}
  security: {ca: {type: self-signed}}
  clusters:
    - name: hub
      role: primary
      kubernetesVersion: "1.34"
      podCIDRs: [10.10.0.0/16]
      controlPlane: {addresses: {istiod: 10.0.5.20}}
    - {name: edge-1, role: remote, kubernetesVersion: "1.34", podCIDRs: [10.11.0.0/16]}
    - {name: edge-2, role: remote, kubernetesVersion: "1.34", podCIDRs: [10.12.0.0/16]}
  namespaces: [{name: shop}]
  services:
    - {name: catalog, namespace: shop, clusters: [hub], ports: [{name: http, port: 8080}]}
"""
SMALL = MESH.replace('    - {name: edge-2, role: remote, kubernetesVersion: "1.34", podCIDRs: [10.12.0.0/16]}\n', "")
SCENES = {"update": (SMALL, MESH.replace("8080", "9090")), "removal": (MESH, SMALL.replace("8080", "9090"))}
"""mesh.yaml as it was compiled, and as it is now."""
ALL = ["first", *SCENES]


@pytest.fixture(scope="module")
def scene_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Scene]:
    find_tool("kubectl")
    made: dict[str, Scene] = {}

    def scene(name: str) -> Scene:
        if name not in made:
            made[name] = make_scene(name, tmp_path_factory.mktemp(name))
        return made[name]

    return scene


@pytest.fixture
def spots(scene_of: Callable[[str], Scene], tmp_path: Path) -> Callable[[str], Spot]:
    """Makes as many copies of a scene as a test wants to harm."""
    numbers = iter(range(1000))

    def spot(name: str, at: Path | None = None) -> Spot:
        top = tmp_path / str(next(numbers))
        (top / "tmp").mkdir(parents=True)
        base = (at or top) / "mesh"
        shutil.copytree(scene_of(name).folder, base, symlinks=True)
        return Spot(scene_of(name), base, top / "tmp")

    return spot


Spots = Callable[[str], Spot]


@pytest.fixture
def told(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Iterator[Tally]:
    """Counts; `pytest -rP` and --junit-xml show them."""
    tally = Tally()
    yield tally
    record_property("faults", str(tally))
    sys.stdout.write(f"{request.node.name}: {tally}\n")


# Killed.


@pytest.mark.parametrize("name", ALL)
def test_killed_at_each_move(spots: Spots, told: Tally, name: str) -> None:
    """At every rename and link of the command: the cache's, the journal's, and those of the units."""
    for calls, moments in ((MOVES, None), (WRITES, 30)) if LONG else ((MOVES, None),):
        number = spots(name).count(calls)
        assert number > 5
        for at in random.Random(name).sample(range(1, number + 1), moments or tries(number)):
            spot = spots(name)
            killed = spot.run("compile", faults=spot.fault("KILL", at, calls))

            if killed.returncode != Exit.DONE:  # threads: the last call may be another's
                assert killed.returncode == -signal.SIGKILL, killed.stderr
            assert_settles(spot, told, check_first=LONG or at % 5 == 1)
            shutil.rmtree(spot.base)

    assert told.faults >= tries(6)


@pytest.mark.parametrize("name", [*ALL, "sample"])
def test_killed_at_any_moment(spots: Spots, told: Tally, name: str) -> None:
    """From its first import to its last word."""
    chance = random.Random(f"faults {name}")
    number = 30 if LONG else 1 if name == "sample" else 2
    for step in range(number):
        spot = spots(name)
        running = spot.start("compile")
        time.sleep((step + chance.random()) / number * spot.scene.seconds)
        running.kill()
        running.wait()

        assert_settles(spot, told, check_first=step % 2 == 0)
        shutil.rmtree(spot.base)


def test_killed_again_and_again_in_one_folder(spots: Spots, told: Tally) -> None:
    """What one killed run left is what the next one begins with, and is killed at."""
    spot, chance = spots("update"), random.Random(5)
    moves = spots("update").count(MOVES)
    for _ in range(60 if LONG else 4):
        spot.run("compile", faults=spot.fault("KILL", chance.randint(1, moves), MOVES))
        told.faults += 1
        assert_no_half(spot)

    assert_settles(spot, told, check_first=True)


def assert_settles(spot: Spot, told: Tally, *, check_first: bool) -> None:
    """The next command finds the old trees or the new ones, and a compile brings the new ones."""
    assert_no_half(spot)
    scene, told.faults = spot.scene, told.faults + 1
    left = list(spot.temporary.iterdir())
    told.left += len(left)
    assert not [path for path in left if path.stat().st_mode & 0o077], "others can read what is left"
    if check_first:
        before = everything(spot.base)
        checked = spot.run("check")
        settled = spot.now

        assert everything(spot.base) == before
        if checked.returncode == Exit.REFUSED:
            assert "an earlier meshc was interrupted" in checked.stderr
        else:
            assert settled in (scene.old, scene.new)
            assert checked.returncode == (Exit.DONE if settled == scene.new else Exit.DIFFERS), checked.stderr
            lines = re.findall(r"(?m)^(?:stale|missing|left over): (.*?)(?: and (\d+) more that .*)?$", checked.stdout)
            named = [path for path, _ in lines]
            more = sum(int(number) for number in re.findall(r"(?m)^and (\d+) more files?", checked.stdout))
            more += sum(int(alike or 0) for _, alike in lines)
            expected = set() if settled == scene.new else scene.differing
            assert set(named) <= expected
            assert len(named) + more == len(expected)
    done = spot.run("compile")

    assert done.returncode == Exit.DONE, done.stderr
    assert spot.now == scene.new
    assert not (spot.base / ".meshc/transaction").exists()
    was_old = "  written  " in done.stdout or "  removed  " in done.stdout
    told.old, told.new = told.old + was_old, told.new + (not was_old)


def assert_no_half(spot: Spot) -> None:
    """Each file that stands in a tree is whole: as it was, or as it will be. None holds a key."""
    for path, data in spot.now.items():
        assert data in (spot.scene.old.get(path), spot.scene.new.get(path)), path
        assert b"PRIVATE KEY" not in data, path


# The disk says no.


@pytest.mark.parametrize("error", ["ENOSPC", "EACCES", "EROFS", "EIO"])
@pytest.mark.parametrize("name", ["update", "removal"] if LONG else ["update"])
def test_a_call_that_fails_changes_nothing(spots: Spots, told: Tally, name: str, error: str) -> None:
    """Exit 4 and the old trees at once; or it was only the cache, or cleaning up, and all is well."""
    number = spots(name).count(WRITES, inside=True)
    chance = random.Random(f"{name} {error}")
    for at in chance.sample(range(1, number + 1), 15 if LONG else 2):
        spot = spots(name)
        failed = spot.run("compile", faults=spot.fault(error, at, WRITES, below=spot.base))

        assert_failed_whole(spot, failed, told, f"{error} at {at} of {number}")
        shutil.rmtree(spot.base)


@pytest.mark.parametrize("calls", [("mkdir",), ("open", "io.open")])
def test_no_room_for_temporary_files(spots: Spots, told: Tally, calls: tuple[str, ...]) -> None:
    spot = spots("update")
    faults = spot.fault("ENOSPC", "every", calls, below=spot.temporary / "meshc-")
    failed = spot.run("compile", "--link", "kustomize", faults=faults)

    assert failed.returncode == Exit.TOOL, failed.stderr
    assert_failed_whole(spot, failed, told, "scratch")


@pytest.mark.parametrize("limit", [0, 60, 1500, *([800, 4000] if LONG else [])])
@pytest.mark.parametrize("name", [*ALL, "sample"] if LONG else ["update"])
def test_files_that_may_not_grow(spots: Spots, told: Tally, name: str, limit: int) -> None:
    """The kernel's own error in the middle of a write, wherever meshc writes: no byte at all, or a part of a file."""
    spot = spots(name)
    failed = spot.run("compile", faults={**spot.fault("none", 0, ()), "FAULT_LIMIT": str(limit)})

    assert_failed_whole(spot, failed, told, name)


@pytest.mark.parametrize("pages", [0, 2, 9] if LONG else [0, 9])
def test_a_full_disk(spots: Callable[[str, Path], Spot], told: Tally, tmp_path: Path, pages: int) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no disk of our own can be mounted here")
    try:
        spot = spots("update", disk)
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "ballast").write_bytes(b"x" * (free - pages * 4096))
        failed = spot.run("compile")

        assert failed.returncode == Exit.TOOL, failed.stderr
        assert "no space left on device" in failed.stderr
        (disk / "ballast").unlink()
        assert_failed_whole(spot, failed, told, f"{pages} pages")
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def assert_failed_whole(spot: Spot, failed: Run, told: Tally, about: str) -> None:
    """The old trees and exit 4, or the new ones and exit 0; afterwards, a compile as ever."""
    told.faults += 1
    about = f"{about}: {failed.stderr}"
    assert failed.returncode in (Exit.DONE, Exit.TOOL), about
    assert "Traceback" not in failed.stderr, about
    if "the next meshc command that writes will finish this" in failed.stderr:
        assert spot.run("check").returncode == Exit.REFUSED
    else:
        assert spot.now == (spot.scene.old if failed.returncode else spot.scene.new), about
    told.old, told.new = told.old + bool(failed.returncode), told.new + (not failed.returncode)
    done = spot.run("compile")

    assert (done.returncode, spot.now == spot.scene.new) == (Exit.DONE, True), f"{about}, then {done.stderr}"


@pytest.mark.parametrize("error", ["EROFS", "EACCES"] if LONG else ["EROFS"])
def test_a_folder_that_may_only_be_read(spots: Spots, error: str) -> None:
    """check and validate do without writing; compile says so. (Root may write anywhere: the calls fail instead.)"""
    spot = spots("update")
    shutil.rmtree(Repository.around(spot.base).state.folder)  # as in a fresh clone
    forbidden = spot.fault(error, "every", WRITES, below=spot.base)
    before = everything(spot.base)

    codes = {word: spot.run(word, faults=forbidden) for word in ("validate", "plan", "check", "compile")}

    assert {word: run.returncode for word, run in codes.items()} == {
        "validate": Exit.DONE,
        "plan": Exit.DONE,
        "check": Exit.DIFFERS,
        "compile": Exit.TOOL,
    }, [run.stderr for run in codes.values()]
    assert not [word for word, run in codes.items() if "Traceback" in run.stderr]
    assert everything(spot.base) == before


# Not alone.


def test_while_one_writes_another_is_refused(spots: Spots) -> None:
    """The first is stopped in the middle of its renames: the trees are mixed, and nobody may touch or judge them."""
    spot = spots("update")
    first = spot.start("compile", faults=spot.fault("STOP", 3, ("rename",), below=spot.base))
    try:
        wait_until_stopped(first.pid)
        mixed = spot.now
        others = [spot.run(word) for word in ("compile", "check")]

        assert mixed not in (spot.scene.old, spot.scene.new)
        assert [run.returncode for run in others] == [Exit.REFUSED] * 2
        assert all(f"another meshc is writing here (process {first.pid})" in run.stderr for run in others)
        assert spot.now == mixed
    finally:
        os.kill(first.pid, signal.SIGCONT)
        ended = first.wait()

    assert (ended.returncode, ended.stderr) == (Exit.DONE, "")
    assert "compiled faulty" in ended.stdout
    assert spot.now == spot.scene.new


def wait_until_stopped(pid: int) -> None:
    status = Path(f"/proc/{pid}/stat")
    if not status.exists():
        pytest.skip("there is no /proc to tell that a process has stopped")
    for _ in range(1000):
        if status.read_text().rpartition(")")[2].split()[0] in ("T", "Z"):
            return
        time.sleep(0.01)
    raise AssertionError("it never stopped")


@pytest.mark.parametrize("name", ["first", "update"])
def test_several_runs_at_once(spots: Spots, told: Tally, name: str) -> None:
    for _ in range(10 if LONG else 1):
        spot = spots(name)
        running = [spot.start("compile") for _ in range(3)]
        ended = [(one.stderr, one.returncode) for one in [started.wait() for started in running]]
        told.faults += 1

        assert {code for _, code in ended} <= {Exit.DONE, Exit.REFUSED}, ended
        assert any(code == Exit.DONE for _, code in ended), ended
        assert spot.now == spot.scene.new
        assert spot.run("check").returncode == Exit.DONE


# Somebody's hands in the trees.


OURS = HEADER + b"a: 1\n"


def edit(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"# by hand\n")


def to_folder(path: Path, data: bytes | None = None) -> None:
    path.unlink()
    path.mkdir()
    if data is not None:
        (path / "notes.yaml").write_bytes(data)


def to_file(path: Path, data: bytes) -> None:
    shutil.rmtree(path)
    path.write_bytes(data)


@dataclass(frozen=True)
class Hand:
    """What is done to trees that are up to date, the exit code of check, and that of compile."""

    harm: Callable[[Path], object]
    check: Exit
    compile: Exit


HANDS = {
    "an overlay is edited": Hand(lambda b: edit(b / "overlays/hub/namespaces.yaml"), Exit.DIFFERS, Exit.DONE),
    "output is edited": Hand(lambda b: edit(b / "output/edge-1/istio-remote.yaml"), Exit.DIFFERS, Exit.DONE),
    "a file is deleted": Hand(lambda b: (b / "output/hub/namespaces.yaml").unlink(), Exit.DIFFERS, Exit.DONE),
    "a unit is deleted": Hand(lambda b: shutil.rmtree(b / "overlays/edge-1"), Exit.DIFFERS, Exit.DONE),
    "a file is empty after a power cut": Hand(
        lambda b: (b / "output/hub/namespaces.yaml").write_bytes(b""), Exit.DIFFERS, Exit.DONE
    ),
    "a file is blank after a power cut": Hand(
        lambda b: (b / "output/hub/namespaces.yaml").write_bytes(b"\0" * 99), Exit.DIFFERS, Exit.DONE
    ),
    "somebody's empty file": Hand(lambda b: (b / "output/hub/.gitkeep").write_bytes(b""), Exit.REFUSED, Exit.REFUSED),
    "the first line is gone": Hand(
        lambda b: (b / "overlays/hub/namespaces.yaml").write_bytes(b"a: 1\n"), Exit.REFUSED, Exit.REFUSED
    ),
    "a foreign file": Hand(lambda b: (b / "output/hub/notes.txt").write_bytes(b"mine"), Exit.REFUSED, Exit.REFUSED),
    "a file of ours too many": Hand(lambda b: (b / "output/hub/more.yaml").write_bytes(OURS), Exit.DIFFERS, Exit.DONE),
    "a unit of ours too many": Hand(lambda b: (b / "output/more.yaml").write_bytes(OURS), Exit.DIFFERS, Exit.DONE),
    "a folder of somebody's own": Hand(lambda b: (b / "overlays/mine").mkdir(), Exit.DONE, Exit.DONE),
    "a file becomes an empty folder": Hand(
        lambda b: to_folder(b / "output/hub/namespaces.yaml"), Exit.DIFFERS, Exit.DONE
    ),
    "a file becomes a folder of ours": Hand(
        lambda b: to_folder(b / "overlays/hub/namespaces.yaml", OURS), Exit.DIFFERS, Exit.DONE
    ),
    "a file becomes a foreign folder": Hand(
        lambda b: to_folder(b / "overlays/hub/namespaces.yaml", b"mine"), Exit.REFUSED, Exit.REFUSED
    ),
    "a unit becomes a file of ours": Hand(lambda b: to_file(b / "output/edge-1", OURS), Exit.DIFFERS, Exit.DONE),
    # A unit in which nothing is meshc's is somebody's own: check only misses what should be there.
    "a unit becomes a foreign file": Hand(lambda b: to_file(b / "output/edge-1", b"mine"), Exit.DIFFERS, Exit.REFUSED),
    "a tree becomes a file": Hand(lambda b: to_file(b / "output", b"mine"), Exit.DIFFERS, Exit.REFUSED),
    "a link for a file": Hand(lambda b: to_link(b / "overlays/hub/namespaces.yaml", b), Exit.REFUSED, Exit.REFUSED),
    "a link for a unit": Hand(lambda b: to_link(b / "output/hub", b), Exit.REFUSED, Exit.REFUSED),
    "a link for a tree": Hand(lambda b: to_link(b / "overlays", b), Exit.REFUSED, Exit.REFUSED),
    "a link among files": Hand(
        lambda b: (b / "output/hub/x.yaml").symlink_to("/etc/passwd"), Exit.REFUSED, Exit.REFUSED
    ),
    "a dangling link": Hand(lambda b: (b / "output/x").symlink_to("nowhere"), Exit.REFUSED, Exit.REFUSED),
    "a pipe": Hand(lambda b: os.mkfifo(b / "output/hub/pipe"), Exit.REFUSED, Exit.REFUSED),
}


def to_link(path: Path, base: Path) -> None:
    """Moves what is there out of the mesh, and links to it."""
    aside = base.parent / "aside"
    path.rename(aside)
    path.symlink_to(aside)


@pytest.mark.parametrize("hand", HANDS)
def test_hands_in_the_trees(spots: Spots, hand: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """check writes nothing and tells; compile mends what is meshc's own and refuses, whole, where something isn't."""
    spot, wanted = spots("done"), HANDS[hand]
    monkeypatch.chdir(spot.base)
    wanted.harm(spot.base)
    harmed, outside = everything(spot.base), everything(spot.base.parent / "aside")

    checked = CliRunner().invoke(app, ["check"])
    after_check = everything(spot.base)
    done = CliRunner().invoke(app, ["compile"])

    assert (checked.exit_code, done.exit_code) == (wanted.check, wanted.compile), checked.output + done.output
    assert after_check == harmed
    assert everything(spot.base.parent / "aside") == outside
    assert everything(spot.base) == (harmed if wanted.compile else everything(spot.scene.folder))


# Scenes.


def make_scene(name: str, top: Path) -> Scene:
    """Both states come from whole, undisturbed runs."""
    folder = top / "mesh"
    folder.mkdir()
    (folder / ".git").mkdir()
    scene = Scene(folder, {}, {}, 0)
    (top / "tmp").mkdir()
    old: Tree = {}
    if name == "first":
        (folder / "mesh.yaml").write_text(SMALL)
    elif name == "sample":
        for part in ("mesh.yaml", "apps", "certificates", "sealed", "patches", "extra"):
            (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, folder / part)
    else:
        before, after = SCENES.get(name, (SMALL, SMALL))
        (folder / "mesh.yaml").write_text(before)
        assert Spot(scene, folder, top / "tmp").run("compile").returncode == Exit.DONE
        (folder / "mesh.yaml").write_text(after)
        old = trees(folder)
    whole = shutil.copytree(folder, top / "whole", symlinks=True)
    began = time.monotonic()
    assert Spot(scene, whole, top / "tmp").run("compile").returncode == Exit.DONE
    return Scene(folder, old, trees(whole), time.monotonic() - began)


def trees(base: Path) -> Tree:
    return {path: data for path, data in everything(base).items() if path.split("/")[0] in ("overlays", "output")}


def everything(base: Path) -> Tree:
    """Each file with its bytes, each link with where it leads; nothing of meshc's own folder but that it is there."""
    found: Tree = {}
    for path in sorted(base.rglob("*")):
        name = path.relative_to(base)
        if path.is_symlink():
            found[str(name)] = b"link to " + str(path.readlink()).encode()
        elif path.is_file() and not {".meshc", ".git"} & {*name.parts}:
            found[str(name)] = path.read_bytes()
        elif path.is_fifo():
            found[str(name)] = b"pipe"
    return found

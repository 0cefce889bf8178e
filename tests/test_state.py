"""Where meshc keeps its own state, and what it does with a state that somebody else brought.

In each kind of repository a compile is killed between two renames, a reading command says so, and a compile settles it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meshc.cli.main import app
from meshc.disk.journal import digest
from support.processes import MESHC, Running
from support.tools import find_tool

pytestmark = pytest.mark.thorough

MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: shop}
spec:
  istio: {version: 1.29.6}
  security: {mutualTLS: strict, ca: {type: self-signed}}
  clusters:
    - {name: hub, role: primary, kubernetesVersion: "1.34"}
"""
KILLED = """
import os, pathlib, signal
real = os.rename
def rename(*args):
    if str(args[0]).endswith("overlays/hub"):
        os.kill(os.getpid(), signal.SIGKILL)
    real(*args)
os.rename = rename
from meshc.cli.main import run
run()
"""
READING = ("validate", "check", "check --no-cache", "diff", "next", "verify", "plan", "graph", "values hub", "publish")


def git(folder: Path, *words: str) -> str:
    person = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", *person, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def meshc(folder: Path, words: str, code: int = 0, program: str = MESHC) -> str:
    environment = {**os.environ, "NO_COLOR": "1"}
    done = Running(*words.split(), cwd=folder, environment=environment, program=program).wait()
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def files(folder: Path) -> dict[str, bytes]:
    """The files of a work tree, without Git's own."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def commit(folder: Path, text: str = MESH) -> Path:
    (folder / "mesh.yaml").write_text(text)
    meshc(folder, "compile")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "the mesh")
    return folder


def new(folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init", "-q")
    return commit(folder)


def plain_clone(top: Path) -> Path:
    return new(top / "mesh")


def linked_work_tree(top: Path) -> Path:
    git(new(top / "main"), "worktree", "add", "-q", str(top / "linked"))
    return top / "linked"


def submodule(top: Path) -> Path:
    new(top / "inner")
    git(new(top / "outer"), "submodule", "--quiet", "add", str(top / "inner"), "inner")
    return top / "outer" / "inner"


def git_on_another_file_system(top: Path) -> Path:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == top.stat().st_dev:
        pytest.skip("this machine has one file system only")
    own = elsewhere / f"meshc-test-{os.getpid()}"
    (top / "mesh").mkdir()
    git(top / "mesh", "init", "-q", f"--separate-git-dir={own}")
    return commit(top / "mesh")


def folder_below_the_top(top: Path) -> Path:
    folder = new(top / "mesh") / "meshes" / "prod"
    folder.mkdir(parents=True)
    return commit(folder, MESH.replace("name: shop", "name: prod"))


PLACES = (plain_clone, linked_work_tree, submodule, git_on_another_file_system, folder_below_the_top)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    find_tool("kubectl")
    make: Callable[[Path], Path] = getattr(request, "param", plain_clone)
    folder = make(tmp_path)
    own = Path(folder, git(folder, "rev-parse", "--git-dir").strip())
    yield folder
    if not own.is_relative_to(tmp_path):
        shutil.rmtree(own)


@pytest.mark.parametrize("place", PLACES, indirect=True, ids=lambda make: make.__name__)
def test_a_killed_compile_is_settled_by_the_next_one(place: Path) -> None:
    before = files(place)
    own = Path(place, git(place, "rev-parse", "--git-path", "meshc").strip())
    assert git(place, "status", "--short", "--ignored") == ""

    mesh = place / "mesh.yaml"
    mesh.write_text(mesh.read_text().replace("strict", "permissive"))
    meshc(place, "compile", -signal.SIGKILL, KILLED)
    assert list(own.glob("*/journal.json"))
    interrupted = files(place)
    for words in READING if place.name == "mesh" else ("validate",):
        said = meshc(place, words, 5)
        assert "an earlier meshc was interrupted" in said
        assert "hint: run meshc compile" in said
    assert files(place) == interrupted

    assert "finished or undid an interrupted run" in meshc(place, "compile")
    assert "up to date" in meshc(place, "check")
    assert files(place).keys() == before.keys()
    assert not (place / ".meshc").exists()


def test_the_state_of_two_meshes_in_one_repository_is_kept_apart(place: Path) -> None:
    other = place / "prod"
    other.mkdir()
    commit(other, MESH.replace("name: shop", "name: prod"))
    (other / "mesh.yaml").write_text(MESH.replace("name: shop", "name: prod").replace("strict", "permissive"))
    meshc(other, "compile", -signal.SIGKILL, KILLED)

    assert "up to date" in meshc(place, "check")
    meshc(other, "check", 5)


def planted(folder: Path) -> None:
    """What a branch can add by force: an interrupted run that would replace mesh.yaml and plant a program."""
    waiting = folder / ".meshc" / "transaction"
    for part in ("new", "old"):
        (waiting / part).mkdir(parents=True)
    names = ("mesh.yaml", "venv%2Flib%2Fx.pth", "certificates%2Froot-cert.pem", "notes.txt", "private")
    units: dict[str, object] = {}
    for name in names:
        (waiting / "new" / name).write_text("# planted\n")
        units[name.replace("%2F", "/")] = True
    for journal in (waiting / "journal.json", folder / ".meshc" / "journal.json"):
        journal.write_text(json.dumps({"generated": False, "units": units}))
    cached = folder / ".meshc" / "cache" / "a"
    cached.mkdir(parents=True)
    (cached / ("ab" * 32)).write_bytes(b"planted")


def test_a_branch_that_brings_state_gets_nothing_by_it(place: Path, tmp_path: Path) -> None:
    git(place, "switch", "-qc", "hostile")
    planted(place)
    git(place, "add", "-f", ".meshc")
    git(place, "commit", "-qm", "harmless")
    git(tmp_path, "clone", "-q", "-b", "hostile", str(place), "clone")
    clone = tmp_path / "clone"
    (clone / "notes.txt").write_text("untracked")
    (clone / "private").mkdir()
    before = files(clone)

    for words in (*READING, "compile", "ca status", "secrets status"):
        assert ".meshc/cache/a/" in (said := meshc(clone, words, 5))
        assert 'error MESH020: ".meshc" is in Git' in said
    assert files(clone) == before


def test_state_that_a_cache_of_ci_restored_is_not_believed(place: Path) -> None:
    planted(place)
    (place / "notes.txt").write_text("untracked")
    before = files(place)

    for words in ("validate", "check --no-cache", "diff", "next", "verify", "plan", "ca status", "secrets status"):
        meshc(place, words)
    assert files(place) == before

    said = meshc(place, "compile")
    assert "settled" not in said
    after = {path: data for path, data in files(place).items() if not path.startswith(".meshc/")}
    assert after == {path: data for path, data in before.items() if not path.startswith(".meshc/")}


def test_a_git_file_that_names_a_folder_of_the_work_tree_is_not_followed(place: Path) -> None:
    """No checkout brings a .git file, but a cache of CI may restore one beside a folder that a branch brought."""
    inner = place / "inner"
    (inner / "own" / "meshc").mkdir(parents=True)
    for part in ("objects", "refs"):
        (inner / "own" / part).mkdir()
    (inner / "own" / "HEAD").write_text("ref: refs/heads/main\n")
    (inner / ".git").write_text("gitdir: own\n")
    (inner / "mesh.yaml").write_text(MESH)

    meshc(inner, "compile")
    assert list((inner / "own" / "meshc").iterdir()) == []


def test_a_git_folder_that_git_passes_over_holds_no_state(tmp_path: Path) -> None:
    """A cache of CI may restore a folder called .git below the top; without HEAD and objects Git passes it over."""
    find_tool("kubectl")
    (tmp_path / "top").mkdir()
    git(tmp_path / "top", "init", "-q")
    inner = tmp_path / "top" / "mesh"
    name = sha256(b".").hexdigest()[:16]
    planted_mesh = MESH.replace("strict", "disabled")
    both = {key: digest({"mesh.yaml": text.encode()}) for key, text in (("before", MESH), ("after", planted_mesh))}
    write(inner, "mesh.yaml", MESH)
    write(inner, f".git/meshc/{name}/journal.json", json.dumps({"generated": False, "units": {"mesh.yaml": both}}))
    write(inner, ".meshc/transaction/new/mesh.yaml", planted_mesh)

    meshc(inner, "validate")
    meshc(inner, "compile")
    assert (inner / "mesh.yaml").read_text() == MESH


def test_a_folder_of_git_that_cannot_be_written_is_said(place: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("no folder is closed to root")
    shutil.rmtree(place / ".git" / "meshc")
    (place / ".git").chmod(0o555)
    try:
        assert "up to date" in meshc(place, "check")
        (place / "mesh.yaml").write_text(MESH.replace("strict", "permissive"))
        assert 'cannot lock ".git/meshc/' in meshc(place, "compile", 4)
    finally:
        (place / ".git").chmod(0o755)


def test_state_of_another_user_is_not_used(place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(place / ".git" / "meshc", 65534, 65534)

    assert "up to date" in meshc(place, "check")
    (place / "mesh.yaml").write_text(MESH.replace("strict", "permissive"))
    said = meshc(place, "compile", 5)
    assert "isn't a folder of the current user, so meshc does not use it; nothing was changed" in said
    assert "hint: look at what it is, then remove it: rm -r .git/meshc/" in said


def test_without_git_an_archive_brings_no_state(place: Path, tmp_path: Path) -> None:
    planted(place)
    git(place, "add", "-f", ".meshc")
    git(place, "commit", "-qm", "harmless")
    (tmp_path / "unpacked").mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=place, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x"], cwd=tmp_path / "unpacked", input=archive, check=True)
    before = files(tmp_path / "unpacked")

    assert "up to date" in meshc(tmp_path / "unpacked", "check")
    assert '".meshc" isn\'t a folder of the current user alone' in meshc(tmp_path / "unpacked", "compile", 5)
    assert files(tmp_path / "unpacked") == before


def write(folder: Path, path: str, text: str) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def link(folder: Path, path: str, to: str) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
    file.unlink(missing_ok=True)
    file.symlink_to(to)


JOURNAL = json.dumps({"generated": False, "units": {"mesh.yaml": {"before": None, "after": None}}})
PLANTS: dict[str, Callable[[Path], None]] = {
    "a whole transaction": planted,
    "a journal of today's form": lambda folder: write(folder, ".meshc/journal.json", JOURNAL),
    "files set aside": lambda folder: write(folder, ".meshc/transaction/old/mesh.yaml", "kind: Mesh\n"),
    "a lock": lambda folder: write(folder, ".meshc/lock", "1"),
    "contexts": lambda folder: write(folder, ".meshc/contexts.yaml", "hub: production\n"),
    "contexts in a home folder": lambda folder: write(
        folder, ".config/meshc/contexts.yaml", "shop: {hub: production}\n"
    ),
    "letters of another size": lambda folder: write(folder, ".Meshc/journal.json", JOURNAL),
    "a link to outside for .meshc": lambda folder: link(folder, ".meshc", "../outside"),
    "a file for .meshc": lambda folder: write(folder, ".meshc", "x"),
    "a link to outside for what is staged": lambda folder: link(folder, ".meshc/transaction", "../../outside"),
    "a folder of Git's by another name": lambda folder: write(folder, "git/meshc/journal.json", JOURNAL),
    "another mesh's versions": lambda folder: write(folder, "output/_meshc.yaml", "mesh: other\n"),
    "versions of the future": lambda folder: write(folder, "output/_meshc.yaml", "mesh: shop\nmeshc: 99.0.0\n"),
    "a link for a generated file": lambda folder: link(folder, "output/hub/namespaces.yaml", "../../../outside/x"),
    "a link for a generated folder": lambda folder: link(folder, "output/hub", "../../outside"),
    "a link for mesh.yaml": lambda folder: link(folder, "mesh.yaml", "../outside/mesh.yaml"),
    "drivers of Git": lambda folder: write(folder, ".gitattributes", "* filter=evil diff=evil merge=meshc\n"),
    "a pin of a chart that isn't there": lambda folder: write(folder, "charts.lock.yaml", "charts: []\n"),
}


@pytest.mark.parametrize("name", PLANTS)
def test_the_commands_of_the_action_change_nothing_on_a_hostile_branch(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """In their order, on a fresh clone with files of its own, as a CI has it. Only what they say may differ."""
    git(place, "branch", "base")
    git(place, "switch", "-qc", "hostile")
    PLANTS[name](place)
    git(place, "add", "-Af")
    git(place, "commit", "-qm", "harmless")
    git(tmp_path, "clone", "-q", "-b", "hostile", str(place), "clone")
    outside, clone = tmp_path / "outside", tmp_path / "clone"
    outside.mkdir()
    (outside / "x").write_text("precious")
    (outside / "mesh.yaml").write_text(MESH.replace("strict", "disabled"))
    (clone / "notes.txt").write_text("untracked")
    before = files(clone), files(outside)
    monkeypatch.chdir(clone)

    for words in (
        "validate --format github",
        "check --no-cache --base origin/base --format github",
        "secrets scan --format github",
        "diff --no-cache --base origin/base --format markdown --exit-zero",
    ):
        result = CliRunner().invoke(app, words.split(), catch_exceptions=False)
        assert result.exit_code in (0, 1, 3, 5), result.output
        assert "precious" not in result.output
    assert (files(clone), files(outside)) == before


@pytest.mark.parametrize("odd", ["a socket", "a pipe", "a folder", "a loop"])
def test_what_is_no_file_is_no_journal(tmp_path: Path, odd: str) -> None:
    place = plain_clone(tmp_path)
    (journal,) = (folder / "journal.json" for folder in (place / ".git/meshc").iterdir())
    match odd:
        case "a socket":
            os.mknod(journal, stat.S_IFSOCK | 0o400)
        case "a pipe":
            os.mkfifo(journal, 0o400)
        case "a folder":
            journal.mkdir()
        case "a loop":
            journal.symlink_to(journal)

    meshc(place, "check --no-cache")

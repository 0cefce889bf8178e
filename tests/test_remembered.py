"""A run that finds everything as an earlier one left it ends early, with the same words; any other is a whole run."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from meshc.disk import cache
from meshc.disk.repository import Repository
from support.processes import meshc, said
from support.tools import find_tool
from support.trees import trees

pytestmark = pytest.mark.thorough

ROUNDS = 2


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mesh with a patch, so that kustomize has a part in it, compiled twice."""
    find_tool("kubectl")
    folder = tmp_path_factory.mktemp("mesh")
    (folder / ".git").mkdir()
    said("init", ".", cwd=folder)
    (folder / "patch.yaml").write_text(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: istio-system, labels: {extra: label}}\n"
    )
    mesh = folder / "mesh.yaml"
    mesh.write_text(mesh.read_text().replace("role: primary", "role: primary\n      patches: [patch.yaml]", 1))
    said("compile", cwd=folder)
    return folder


@pytest.fixture
def mesh(compiled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(compiled, tmp_path / "mesh", symlinks=True))


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_the_words_are_those_of_a_whole_run(mesh: Path, form: str) -> None:
    for command in ("compile", "check"):
        whole = said(command, "--no-cache", "--format", form, cwd=mesh)
        for _ in range(ROUNDS):
            assert said(command, "--format", form, cwd=mesh) == whole


CHANGES: dict[str, tuple[Callable[[Path], object], int]] = {
    "an input": (lambda m: (m / "patch.yaml").write_text((m / "patch.yaml").read_text().replace("label}", "x}")), 1),
    "output": (lambda m: (m / "output/hub/namespaces.yaml").unlink(), 1),
    "a file of ours too many": (
        lambda m: shutil.copy(m / "output/hub/namespaces.yaml", m / "output/hub/more.yaml"),
        1,
    ),
    "a foreign file": (lambda m: (m / "output/hub/notes.txt").write_text("mine"), 5),
    "an input that is gone": (lambda m: (m / "patch.yaml").unlink(), 3),
    "mesh.yaml": (lambda m: (m / "mesh.yaml").write_text("apiVersion: none\n"), 3),
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_changes_is_seen_though_no_time_does(mesh: Path, name: str) -> None:
    before = {path: path.stat() for path in mesh.rglob("*")}
    harm, code = CHANGES[name]
    harm(mesh)
    for path, status in before.items():
        if path.exists():
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    said("check", cwd=mesh, code=code)


def entries(mesh: Path) -> list[Path]:
    return sorted(path for path in (Repository.around(mesh).state.folder / "cache").rglob("*") if path.is_file())


def forget(mesh: Path) -> None:
    shutil.rmtree(Repository.around(mesh).state.folder)


def swap(mesh: Path) -> None:
    found = entries(mesh)
    contents = [path.read_bytes() for path in found]
    for path, data in zip(found, contents[1:] + contents[:1], strict=True):
        replace(path, data)


def replace(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)
    path.chmod(0o400)


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir(0o400)


def to_link(path: Path, target: Path) -> None:
    path.rename(target / path.name)
    path.symlink_to(target / path.name)


def each(harm: Callable[[Path], object]) -> Callable[[Path], object]:
    """The same to every entry."""

    def harm_all(mesh: Path) -> None:
        for path in entries(mesh):
            harm(path)

    return harm_all


RUBBISH: dict[str, Callable[[Path], object]] = {
    "random bytes": each(lambda path: replace(path, random.Random(1).randbytes(500))),
    "truncated": each(lambda path: replace(path, path.read_bytes()[:40])),
    "empty": each(lambda path: replace(path, b"")),
    "swapped": swap,
    "folders": each(to_folder),
    "unreadable": each(lambda path: path.chmod(0)),
    "links": each(lambda path: to_link(path, path.parents[4])),
    "gone": forget,
}


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_in_the_cache_changes_nothing(mesh: Path, name: str) -> None:
    expected = trees(mesh)
    RUBBISH[name](mesh)
    shutil.rmtree(mesh / "output")

    said("compile", cwd=mesh)

    assert trees(mesh) == expected


def test_a_cache_that_is_not_wanted_is_not_there(mesh: Path) -> None:
    forget(mesh)
    for command in ("check", "compile"):
        said(command, "--no-cache", cwd=mesh)

    assert entries(mesh) == []


def test_the_cache_forgets_what_was_used_longest_ago(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LARGEST", 16 * 1000)
    repository = Repository.around(tmp_path)
    keys = [f"a{number:063x}" for number in range(12)]
    for number, key in enumerate(keys):
        repository.cache_put(key, bytes(100))
        path = repository.state.folder / "cache/a" / key
        if path.exists():
            os.utime(path, ns=(number, number))
        repository.cache_get(keys[0])

    kept = [key for key in keys if repository.cache_get(key) is not None]

    assert kept[0] == keys[0]
    assert kept[-1] == keys[-1]
    assert 3 < len(kept) < 8
    assert sum(path.stat().st_size for path in entries(tmp_path)) <= 1000


def test_nothing_is_kept_in_which_a_secret_stands(mesh: Path) -> None:
    """A generator of kustomize's makes the Secret: meshc refuses it, and the cache hasn't heard of it."""
    forget(mesh)
    (mesh / "own").mkdir()
    (mesh / "own/kustomization.yaml").write_text("secretGenerator: [{name: s, literals: [password=hunter2hunter2]}]\n")
    text = (mesh / "mesh.yaml").read_text().replace("patches: [patch.yaml]", "resources: [own]", 1)
    (mesh / "mesh.yaml").write_text(text)

    told = json.loads(meshc("compile", "--format", "json", cwd=mesh).stdout)

    assert told["problems"]
    assert all(b"aHVudGVyMmh1bnRlcjI" not in path.read_bytes() for path in entries(mesh))


def test_a_schema_of_another_meshc_is_told_each_time(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    said("init", ".", cwd=tmp_path)
    said("compile", cwd=tmp_path)
    assert "schema" not in said("check", cwd=tmp_path)
    schema = tmp_path / "mesh.schema.json"
    schema.write_text(schema.read_text().replace('"Mesh"', '"Other"'))
    for _ in range(2):
        told = said("compile", cwd=tmp_path) + said("check", cwd=tmp_path)
        assert told.count("note") == 2
        assert "mesh.schema.json isn't the schema of this meshc: meshc schema > mesh.schema.json" in told
    schema.unlink()
    assert "schema" not in said("check", cwd=tmp_path)

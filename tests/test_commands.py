"""The commands as a person runs them, in a scratch Git repository."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.main import get_group

from meshc.cli.main import COMMANDS
from meshc.errors import Exit
from meshc.mesh.reference import reference
from meshc.mesh.schema import schema_text
from support.generated import assert_current
from support.paths import ROOT
from support.processes import Running, meshc
from support.tools import find_tool
from support.trees import REMOTE, change, trees

pytestmark = pytest.mark.thorough


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    """A new mesh from `meshc init`, compiled, in a Git repository of its own."""
    find_tool("kubectl")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert meshc("init", ".", cwd=tmp_path).returncode == Exit.DONE
    assert meshc("compile", cwd=tmp_path).returncode == Exit.DONE
    return tmp_path


@pytest.mark.parametrize("file", ["mesh.yaml", "examples/classic/mesh.yaml"])
def test_what_is_committed_is_in_step(file: str) -> None:
    find_tool("kubectl")
    done = meshc("check", "-f", file, cwd=ROOT)

    assert (done.returncode, done.stdout.split(":")[0]) == (Exit.DONE, "up to date"), done.stdout + done.stderr


@pytest.mark.parametrize("module", COMMANDS)
def test_each_command_is_listed_by_its_name(module: str) -> None:
    whole = typer.Typer()
    whole.add_typer(import_module(f"meshc.cli.{module}").app)
    assert tuple(get_group(whole).commands) == COMMANDS[module]


def test_the_committed_schema_and_reference_are_the_models() -> None:
    assert_current("mesh.schema.json", schema_text())
    assert_current("mesh-part.schema.json", schema_text(part=True))
    assert_current("docs/mesh-yaml.md", reference())


@pytest.mark.parametrize("file", ["mesh.yaml", "examples/classic/mesh.yaml"])
def test_overlays_built_by_kustomize_are_the_output(file: str) -> None:
    kubectl = find_tool("kubectl")
    base = (ROOT / file).parent
    for overlay in sorted((base / "overlays").iterdir()):
        if overlay.name.startswith("_"):
            continue
        built = [
            subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, check=True).stdout
            for folder in (overlay, base / "output" / overlay.name)
        ]

        assert built[0] == built[1]


def test_an_object_that_no_patch_touches_passes_kustomize_byte_for_byte() -> None:
    for name in ("istio-remote.yaml", "namespaces.yaml"):
        documents = [
            sorted((ROOT / tree / "edge-2" / name).read_text().partition("\n")[2].split("---\n"))
            for tree in ("overlays", "output")
        ]

        assert documents[0] == documents[1]


def test_a_remote_is_added_and_removed_again(mesh: Path) -> None:
    before, text = trees(mesh), (mesh / "mesh.yaml").read_text()

    change(mesh, "  namespaces:\n", REMOTE)
    stale = meshc("check", cwd=mesh)
    added = meshc("compile", cwd=mesh)
    with_remote = trees(mesh)
    (mesh / "mesh.yaml").write_text(text)
    removed = meshc("compile", cwd=mesh)

    assert stale.returncode == Exit.DIFFERS
    assert "missing: output/edge-2/istio-remote.yaml" in stale.stdout
    assert added.stdout.splitlines()[1:3] == ["  written    edge-2", "  unchanged  hub, edge-1"]
    assert {path for path in with_remote if path not in before} == {p for p in with_remote if "/edge-2/" in p}
    assert removed.stdout.splitlines()[-2:] == [
        "  removed    edge-2",
        "  pending    edge-1: waiting for credentials in hub",
    ]
    assert trees(mesh) == before
    assert meshc("check", cwd=mesh).returncode == Exit.DONE


def test_a_second_compile_starts_no_kustomize_and_writes_nothing(mesh: Path, tmp_path: Path) -> None:
    recorder = tmp_path / "bin" / "kustomize"
    recorder.parent.mkdir()
    lines = ["#!/bin/sh", f'echo "$@" >> {tmp_path}/calls', '[ "$1" = version ] && echo v5.8.1 && exit', "shift"]
    recorder.write_text("\n".join([*lines, f'exec {find_tool("kubectl")} kustomize "$@"', ""]))
    recorder.chmod(0o755)

    first = meshc("compile", cwd=mesh, MESHC_KUSTOMIZE=str(recorder))
    calls = (tmp_path / "calls").read_text()
    times = {path: (mesh / path).stat().st_mtime_ns for path in trees(mesh)}
    second = meshc("compile", cwd=mesh, MESHC_KUSTOMIZE=str(recorder))

    assert (first.returncode, second.returncode) == (Exit.DONE, Exit.DONE)
    assert (tmp_path / "calls").read_text() == calls
    assert {path: (mesh / path).stat().st_mtime_ns for path in trees(mesh)} == times


def test_only_the_chosen_clusters_are_written(mesh: Path) -> None:
    change(mesh, "port: 8080", "port: 9090")
    before = trees(mesh)

    done = meshc("compile", "--cluster", "h*", cwd=mesh)
    unknown = meshc("compile", "--cluster", "nope", cwd=mesh)

    changed = {path for path, data in trees(mesh).items() if before[path] != data}
    assert done.returncode == Exit.DONE
    assert changed == {"overlays/_services/catalog/services.yaml"}
    assert (unknown.returncode, unknown.stderr) == (
        Exit.USAGE,
        'error: there is no cluster "nope"\n  hint: clusters: hub, edge-1\n',
    )


def test_a_file_of_somebody_else_is_kept_and_named(mesh: Path) -> None:
    (mesh / "overlays/edge-1/notes.txt").write_text("mine\n")
    change(mesh, "port: 8080", "port: 9090")
    change(mesh, "name: edge-1", "name: edge-7")
    before = trees(mesh)

    done = meshc("compile", cwd=mesh)

    assert done.returncode == Exit.REFUSED
    assert "overlays/edge-1/notes.txt" in done.stderr
    assert trees(mesh) == before


def test_a_changed_generated_file_is_stale_and_is_compiled_again(mesh: Path) -> None:
    before = trees(mesh)
    file = mesh / "output/edge-1/namespaces.yaml"
    file.write_text(file.read_text().replace("enabled", "disabled"))

    checked = meshc("check", cwd=mesh)
    meshc("compile", cwd=mesh)

    assert checked.returncode == Exit.DIFFERS
    assert checked.stdout == (
        "edited by hand: output/edge-1/namespaces.yaml\n  @@ -20 +20 @@\n"
        "  -    istio-injection: disabled\n  +    istio-injection: enabled\n"
    )
    assert trees(mesh) == before


def test_killed_at_any_moment_the_next_run_finds_the_old_tree_or_the_new(mesh: Path) -> None:
    old = trees(mesh)
    change(mesh, "  namespaces:\n", REMOTE)
    change(mesh, "port: 8080", "port: 9090")
    whole = shutil.copytree(mesh, mesh.parent / "whole", symlinks=True)
    began = time.monotonic()
    meshc("compile", cwd=whole)
    seconds = time.monotonic() - began
    new = trees(whole)
    chance = random.Random(7)

    for _ in range(12):
        running = Running("compile", cwd=mesh, environment=os.environ)
        time.sleep(chance.uniform(0, seconds))
        running.kill()
        running.wait()
        checked = meshc("check", cwd=mesh)
        if "was interrupted" in checked.stderr:  # only a command that writes finishes or undoes the run
            assert checked.returncode == Exit.REFUSED
            assert meshc("compile", cwd=mesh).returncode == Exit.DONE

        assert trees(mesh) in (old, new)

    assert meshc("compile", cwd=mesh).returncode == Exit.DONE
    assert trees(mesh) == new


def test_several_meshes_in_one_repository(mesh: Path) -> None:
    other = mesh / "meshes/prod"
    shutil.copytree(ROOT / "apps", mesh / "apps")
    other.mkdir(parents=True)
    text = (mesh / "mesh.yaml").read_text()
    text += "    - {name: warehouse, manifests: ../../apps/warehouse, clusters: [hub]}\n"
    (other / "mesh.yaml").write_text(text)

    done = meshc("compile", "-f", "meshes/prod/mesh.yaml", cwd=mesh)

    assert done.returncode == Exit.DONE, done.stderr
    assert "name: label-printer" in (other / "output/edge-1/services.yaml").read_text()
    assert meshc("check", cwd=mesh).returncode == Exit.DONE


def test_plan_and_results_as_json(mesh: Path) -> None:
    plan = json.loads(meshc("plan", "--format", "json", cwd=mesh).stdout)
    result = json.loads(meshc("compile", "--format", "json", cwd=mesh).stdout)

    assert [cluster["name"] for cluster in plan["clusters"]] == ["hub", "edge-1"]
    assert plan["clusters"][1]["attachment"]["addresses"] == {"istiod": "10.0.5.20"}
    assert (result["unchanged"], result["written"]) == (["hub", "edge-1"], [])
    assert result["pending"] == ["edge-1: waiting for credentials in hub"]


def test_a_kustomize_that_is_none_is_a_fault_of_the_tool(tmp_path: Path) -> None:
    for name in ("mesh.yaml", "apps", "certificates", "sealed", "patches", "extra"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)

    done = meshc("validate", cwd=tmp_path, MESHC_KUSTOMIZE="true")

    assert done.returncode == Exit.TOOL
    assert done.stderr == 'error: MESHC_KUSTOMIZE is "true", which answers neither as kustomize nor as kubectl\n'


def test_no_mesh_is_said_plainly(tmp_path: Path) -> None:
    done = meshc("compile", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (
        Exit.USAGE,
        'error: there is no "mesh.yaml"\n  hint: name it with -f, or start one with: meshc init DIR\n',
    )


def test_init_makes_the_folder_and_says_plainly_where_it_cannot(tmp_path: Path) -> None:
    made = meshc("init", "new/mesh", cwd=tmp_path)
    impossible = meshc("init", "/proc/mesh", cwd=tmp_path)
    nowhere = meshc("validate", "-f", "gone/mesh.yaml", cwd=tmp_path)

    assert (made.returncode, made.stdout.splitlines()[-1]) == (Exit.DONE, "next: cd new/mesh && meshc compile")
    assert (impossible.returncode, "Traceback" in impossible.stderr) == (Exit.TOOL, False)
    assert nowhere.returncode == Exit.USAGE


def test_init_overwrites_nothing(mesh: Path) -> None:
    before = (mesh / "mesh.yaml").read_bytes()

    done = meshc("init", ".", cwd=mesh)

    assert done.returncode == Exit.REFUSED
    assert "mesh.yaml" in done.stderr
    assert (mesh / "mesh.yaml").read_bytes() == before


def test_the_exit_codes_of_the_documentation() -> None:
    documented = (ROOT / "docs/exit-codes.md").read_text()

    assert [int(line.split("|")[1]) for line in documented.splitlines() if line[:3].strip("| ").isdigit()] == list(Exit)

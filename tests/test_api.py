"""`import meshc`: what a program gets, and that nothing is printed, written or loaded that it didn't ask for."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import meshc
from support.clones import Clone
from support.paths import ROOT
from support.tools import find_tool
from support.trees import change, trees

pytestmark = pytest.mark.thorough


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    find_tool("kubectl")
    Clone(tmp_path, driver=False)
    return tmp_path


def test_a_compilation_holds_what_the_command_writes(mesh: Path, capfd: pytest.CaptureFixture[str]) -> None:
    written = trees(mesh)
    change(mesh, "name: catalog", "name: catalogue")

    made = meshc.compile(mesh / "mesh.yaml")

    assert [cluster.name for cluster in made.plan.clusters] == ["hub", "edge-1", "edge-2"]
    assert made.stale()
    assert trees(mesh) == written, "only write() changes the trees"
    assert "output/edge-1/services.yaml" in made.write().trees
    assert made.stale() == ()
    both = {**made.overlays.at("overlays"), **made.output.at("output")}
    assert {path: data for path, data in trees(mesh).items() if path != "output/_meshc.yaml"} == both
    assert meshc.check(mesh / "mesh.yaml").stale == ()
    assert capfd.readouterr() == ("", "")


def test_a_difference_has_its_entries_and_dangers(mesh: Path) -> None:
    change(mesh, "    # the second edge\n    - {name: edge-2, role: remote, podCIDRs: [10.12.0.0/16]}\n", "")

    made = meshc.compile(mesh / "mesh.yaml")
    found = meshc.diff(made, "HEAD")

    assert found.difference.summary.endswith("to delete in 1 cluster, 2 left where they are")
    assert {danger.code.id for danger in found.dangers} == {"MESH801"}
    assert [one.path for one in meshc.check(mesh / "mesh.yaml").stale] == list(made.stale())
    with pytest.raises(meshc.UsageError, match="name one of them"):
        meshc.diff(made, "HEAD", against=".")


def test_wrong_input_is_raised_with_every_problem(mesh: Path, capfd: pytest.CaptureFixture[str]) -> None:
    change(mesh, "podCIDRs: [10.11.0.0/16]", "podCIDRs: [10.11.0.1/16], network: nowhere")

    for call in (meshc.compile, meshc.check):
        with pytest.raises(meshc.ProblemsError) as caught:
            call(mesh / "mesh.yaml")
        assert len(caught.value.problems) > 1
        assert all(problem.place.line for problem in caught.value.problems)
    change(mesh, "kind: Mesh", "kind: Mash")
    with pytest.raises(meshc.ProblemsError):
        meshc.load(mesh / "mesh.yaml")
    with pytest.raises(meshc.MeshcError, match="there is no"):
        meshc.compile(mesh / "missing.yaml")
    assert capfd.readouterr() == ("", "")


def test_what_mesh_yaml_says(mesh: Path) -> None:
    assert [cluster.name for cluster in meshc.load(mesh / "mesh.yaml").spec.clusters] == ["hub", "edge-1", "edge-2"]


def test_the_example_of_the_page_runs(mesh: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/api.md").read_text(), re.DOTALL)

    done = subprocess.run([sys.executable, "-c", example], cwd=mesh, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert "hub primary\n" in done.stdout
    assert "0 to add, 0 to change, 0 to delete in 0 clusters" in done.stdout


def test_names_are_all_there_and_loaded_when_they_are_used() -> None:
    assert all(getattr(meshc, name) is not None for name in meshc.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        meshc.nothing  # noqa: B018
    loaded = "import meshc, sys; print(*sorted(name for name in sys.modules if name.startswith('meshc')))"
    said = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout

    assert said.split() == ["meshc", "meshc.version"]

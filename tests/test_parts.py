"""A mesh over several files: the same as in one, and bounded, and each fault and edit in the file where it belongs."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from meshc.cli.complete import clusters
from meshc.commands.edit import edited
from meshc.commands.opened import Opened
from meshc.disk.matching import fitting, pattern_fault
from meshc.disk.repository import Repository
from meshc.errors import ProblemsError, ToolError
from meshc.mesh import including
from meshc.mesh.parts import LISTS
from meshc.mesh.rebase import paths_below
from meshc.mesh.schema import json_schema
from meshc.mesh.source import load
from meshc.output.kustomize import Kustomize, find
from meshc.pipeline import Compiled, compile_mesh, plan_mesh
from meshc.review.committed import Commits
from meshc.yamltext.edit import EditError
from support.commands import invoke
from support.generated_meshes import Mesh, compiled, meshes, repository, tried
from support.mutations import of_bytes, of_form, of_yaml
from support.paths import ROOT
from support.split_meshes import split
from support.tools import tries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshc.errors import Path as Steps

pytestmark = pytest.mark.thorough


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text if isinstance(text, bytes) else text.encode())


def compiled_in(at: Repository, files: Mapping[str, str]) -> Compiled:
    write(at.base, files)
    return compile_mesh(load(files["mesh.yaml"].encode(), "mesh.yaml", at), at, lambda: find(at))


def said(made: Compiled) -> list[tuple[str, str, tuple[str, ...]]]:
    """The problems without their places, which are in other files, by other numbers."""
    return sorted((one.code.id, re.sub(r"\[\d+\]", "[]", one.what), one.clusters) for one in made.problems)


@given(meshes(), st.integers(0, 1 << 30))
@tried(60)
def test_a_mesh_in_many_files_gives_the_bytes_of_one(mesh: Mesh, seed: int) -> None:
    whole = compiled(mesh)
    with repository() as at:
        parted = compiled_in(at, split(mesh, random.Random(seed)))

    assert parted.layout.tree == whole.layout.tree
    assert parted.delivery == whole.delivery
    assert parted.pending == whole.pending
    assert said(parted) == said(whole)


@pytest.mark.parametrize("seed", range(4))
def test_the_sample_in_many_files_gives_the_bytes_of_one(tmp_path: Path, seed: int) -> None:
    """Its patches, resources and manifests are found from parts, from those outside of mesh.yaml's folder too."""
    mesh = yaml.safe_load((ROOT / "mesh.yaml").read_bytes())
    del mesh["spec"]["delivery"]  # it says where output/ lies in the repository
    (tmp_path / ".git").mkdir()
    at = Repository.around(tmp_path / "prod")
    for name in ("apps", "certificates", "extra", "patches", "sealed"):
        shutil.copytree(ROOT / name, at.base / name)
    whole = compiled_in(at, {"mesh.yaml": json.dumps(mesh)})
    parted = compiled_in(at, split(mesh, random.Random(seed), outside=True))

    assert parted.layout.tree == whole.layout.tree


def test_every_path_of_the_model_is_taken_from_the_part() -> None:
    """What the schema describes as a path is what is made relative to mesh.yaml."""
    described = json.dumps(json_schema(part=True)).count("A path relative to the file that contains it")
    found = {path for key in LISTS for path in paths_below(key)}

    assert found == {
        ("*", "patches", "*"),
        ("*", "patches", "*", "path"),
        ("*", "resources", "*"),
        ("*", "components", "*"),
        ("*", "set", "patches", "*"),
        ("*", "set", "patches", "*", "path"),
        ("*", "set", "resources", "*"),
        ("*", "set", "components", "*"),
        ("*", "manifests"),
    }
    assert described > 0


MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: small}
spec:
  include:
    - {files: clusters/*.yaml, may: [clusters, overrides]}
  istio: {version: 1.29.6}
  security: {ca: {type: external}}
  clusters:
    - name: hub
      role: primary
      kubernetesVersion: "1.34"
      podCIDRs: [10.10.0.0/16]
      controlPlane: {addresses: {istiod: 10.0.5.20}}
  namespaces:
    - {name: shop}
"""
EDGE = """\
apiVersion: meshc/v1alpha1
kind: MeshPart
spec:
  clusters:
    - name: edge-{n}   # kept
      role: remote
      kubernetesVersion: "1.34"
      podCIDRs: [10.1{n}.0.0/16]
"""
FILES = {"mesh.yaml": MESH, "clusters/a.yaml": EDGE.format(n=1), "clusters/b.yaml": EDGE.format(n=2)}


def git(folder: Path, *words: str) -> None:
    person = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *person, *words], cwd=folder, check=True, capture_output=True)


def committed(folder: Path, files: Mapping[str, str]) -> None:
    write(folder, files)
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "one")):
        git(folder, *words)


def test_an_edit_goes_to_the_file_that_holds_the_key(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    opened = Opened(tmp_path / "mesh.yaml")
    at = ("spec", "clusters", 2)
    values: dict[Steps, Any] = {(*at, "kubernetesVersion"): "1.35", (*at, "serviceCIDRs"): ["10.9.0.0/16"]}
    edits = edited(opened, values, write=True)

    assert [Path(edit.file).name for edit in edits] == ["b.yaml"]
    after = (tmp_path / "clusters/b.yaml").read_text()
    assert after == EDGE.format(n=2).replace('"1.34"', '"1.35"') + "      serviceCIDRs: [10.9.0.0/16]\n"
    assert (tmp_path / "mesh.yaml").read_text() == MESH


def test_an_edit_of_a_part_outside_is_left_to_a_person(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path, {f"prod/{path}": text for path, text in FILES.items()})
    write(tmp_path, {"prod/mesh.yaml": MESH.replace("clusters/*", "../common/*"), "common/a.yaml": EDGE.format(n=1)})
    opened = Opened(tmp_path / "prod/mesh.yaml")

    with pytest.raises(EditError, match="outside the folder") as error:
        edited(opened, {("spec", "clusters", 1, "kubernetesVersion"): "1.35"}, write=True)
    assert error.value.hint == 'write there spec.clusters[0].kubernetesVersion: "1.35"'
    assert (tmp_path / "common/a.yaml").read_text() == EDGE.format(n=1)


def test_a_commit_is_read_with_the_parts_of_its_time(tmp_path: Path) -> None:
    mesh = MESH.replace("clusters/*.yaml", "../common/*.yaml")
    committed(tmp_path, {"prod/mesh.yaml": mesh, "common/a.yaml": EDGE.format(n=1), "common/b.yaml": EDGE.format(n=2)})
    (tmp_path / "common/b.yaml").unlink()
    write(tmp_path, {"common/c.yaml": EDGE.format(n=3)})
    commits = Commits(tmp_path / "prod")
    then = load(mesh.encode(), "mesh.yaml", commits.at(commits.commit("HEAD")))

    assert [cluster.name for cluster in plan_mesh(then).clusters] == ["hub", "edge-1", "edge-2"]
    assert [*then.files] == ["mesh.yaml", "../common/a.yaml", "../common/b.yaml"]


def test_a_run_in_step_hears_of_a_part_that_changes_or_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    committed(tmp_path, FILES)
    assert invoke("compile").exit_code == 0
    assert invoke("check").stdout.startswith("up to date: 3 clusters")

    write(tmp_path, {"clusters/b.yaml": EDGE.format(n=2) + "      sidecarInjection: manual\n"})
    assert invoke("check").exit_code == 1
    write(tmp_path, {"clusters/b.yaml": EDGE.format(n=2)})
    assert invoke("check").exit_code == 0
    write(tmp_path, {"clusters/c.yaml": EDGE.format(n=3)})
    stale = invoke("check")
    assert stale.exit_code == 1
    assert "missing: output/edge-3/namespaces.yaml" in stale.stdout


def test_nothing_is_published_with_a_part_that_is_in_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    committed(tmp_path, FILES)
    write(tmp_path, {"clusters/c.yaml": EDGE.format(n=3)})
    refused = invoke("publish", "--branch", "deploy")

    assert refused.exit_code == 5
    assert "clusters/c.yaml" in refused.stderr


def test_a_part_that_was_deleted_is_missed_by_publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    committed(tmp_path, FILES)
    (tmp_path / "clusters/b.yaml").unlink()
    refused = invoke("publish", "--branch", "deploy")

    assert refused.exit_code == 5
    assert "clusters/b.yaml" in refused.stderr


@pytest.mark.parametrize(("limit", "value"), [("MOST_PARTS", 1), ("MOST_BYTES", 300), ("MOST_VALUES", 12)])
def test_what_is_included_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    write(tmp_path, FILES)
    monkeypatch.setattr(including, limit, value)
    mesh, problems = Opened(tmp_path / "mesh.yaml").source.parsed()

    assert mesh is None
    assert [problem.code.id for problem in problems] == ["MESH032"]
    assert problems[0].place.line == 6


def test_the_shell_completes_clusters_of_parts(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    write(tmp_path, {"clusters/c.yaml": "spec: [", "below/x": ""})

    assert [name for name, _ in clusters(tmp_path / "mesh.yaml")] == ["hub", "edge-1", "edge-2"]


def test_a_stale_schema_of_parts_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = "# yaml-language-server: $schema=../mesh-part.schema.json\n"
    write(tmp_path, {**FILES, "clusters/a.yaml": first + EDGE.format(n=1), "clusters/b.yaml": first + EDGE.format(n=2)})
    write(tmp_path, {"mesh-part.schema.json": "{}"})
    told = invoke("compile").stderr
    write(tmp_path, {"mesh-part.schema.json": invoke("schema", "--part").stdout})

    assert told.count("meshc schema --part > mesh-part.schema.json") == 1
    assert "schema" not in invoke("compile").stderr


def test_a_schema_takes_parts_and_a_mesh_whose_clusters_all_stand_in_parts() -> None:
    part = Draft202012Validator(json_schema(part=True))
    mesh = Draft202012Validator(json_schema())
    alone = yaml.safe_load(MESH)
    del alone["spec"]["clusters"]

    assert part.is_valid(yaml.safe_load(EDGE.format(n=1)))
    assert not part.is_valid(alone)
    assert mesh.is_valid(alone)
    del alone["spec"]["include"]
    assert not mesh.is_valid(alone)


@pytest.mark.parametrize(
    ("pattern", "rule"),
    [
        ("clusters/*.yaml", ""),
        ("../common/?.yml", ""),
        ("a/*/b/*/*.yaml", ""),
        ("*/*/*/*/*/b.yaml", "in at most"),
        ("**/a.yaml", "no **"),
        ("*/../a.yaml", "no .."),
        ("/a.yaml", "path from mesh.yaml"),
        ("a\\b.yaml", "path from mesh.yaml"),
        ("a\n.yaml", "path from mesh.yaml"),
        ("a" * 300 + ".yaml", "path from mesh.yaml"),
        ("clusters", "must end"),
    ],
)
def test_patterns_keep_rules(pattern: str, rule: str) -> None:
    assert (rule in pattern_fault(pattern)) if rule else pattern_fault(pattern) == ""


def has_sign(name: str) -> bool:
    return not {*name}.isdisjoint("*?")


NAMES = st.sampled_from(["a", "b", "a.yaml", ".yaml", "[a].yaml", "aa.yaml", "b-a.yaml", "*.yaml"])
SIGNS = st.sampled_from(["*", "?", "*.yaml", "?.yaml", "a*", "[a].yaml", "*a*.yaml", "a", "b"])


PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
PATTERNS = st.builds(lambda above, last: "/".join([*above, last]), st.lists(SIGNS, max_size=2), SIGNS.filter(has_sign))


@given(st.lists(PATHS, unique=True), PATTERNS)
@tried(150)
def test_a_folder_and_a_commit_find_the_same_files(paths: list[str], pattern: str) -> None:
    """What is read in a work tree is what is read in the commit that has it, and what a shell would list."""
    files = [path for path in paths if not any(other.startswith(f"{path}/") for other in paths)]
    with repository() as at:
        write(at.base, {f"t/{path}": "x" for path in files})
        found = at.match_files(f"t/{pattern}")
        seen = at.base.glob(f"t/{pattern.replace('[', '[[]')}")
        listed = {path.relative_to(at.base).as_posix() for path in seen if path.is_file()}

    assert list(found) == fitting((f"t/{path}" for path in files), f"t/{pattern}")
    hidden = {path for path in listed if any(name.startswith(".") for name in path.split("/"))}
    assert {*found} - hidden == listed - hidden


TRIED = int(os.environ.get("MESHC_TEST_MUTATIONS", 0)) or tries(600)


def refuse() -> Kustomize:
    raise ToolError("nothing is built here")


def test_a_mutated_part_is_told_or_taken(tmp_path: Path) -> None:
    """One change by chance to a part or to mesh.yaml: no exception but of problems, at lines of the mesh."""
    chance = random.Random(26)
    mesh = MESH.replace("[clusters, overrides]", "[clusters, overrides, services, namespaces]")
    ours = {"mesh.yaml": mesh, "clusters/a.yaml": EDGE.format(n=1) + MORE, "clusters/b.yaml": EDGE.format(n=2)}
    at = Repository.around(tmp_path)
    outcomes = {"told": 0, "taken": 0}
    for _ in range(TRIED):
        texts = {path: text.encode() for path, text in ours.items()}
        which = chance.choice([*texts])
        texts[which] = chance.choice((of_bytes, of_form, of_yaml))(texts[which], chance)
        write(tmp_path, texts)
        try:
            compile_mesh(load(texts["mesh.yaml"], "mesh.yaml", at), at, refuse)
            outcomes["taken"] += 1
        except ToolError:
            outcomes["told"] += 1
        except ProblemsError as error:
            outcomes["told"] += 1
            far = [one for one in error.problems if one.place.line > lines_of(texts.get(one.place.file, b""))]
            assert [one for one in far if not one.place.file.startswith("overlays/")] == []

    assert min(outcomes.values()) > TRIED // 50


def lines_of(data: bytes) -> int:
    """The lines of a text as YAML 1.1 counts them."""
    return len(re.split("\r\n|[\n\r\u0085\u2028\u2029]", data.decode(errors="replace")))


MORE = """\
  overrides:
    - {clusters: all, set: {kubernetesVersion: "1.33"}}
  namespaces:
    - {name: bank, clusters: [edge-1]}
  services:
    - {name: till, namespace: shop, clusters: [edge-1], ports: [{name: http, port: 80}]}
"""


def test_standard_input_is_a_mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {path: text for path, text in FILES.items() if path != "mesh.yaml"})
    compiled = invoke("compile", "-f", "-", stdin=MESH)
    again = invoke("check", "-f", "-", stdin=MESH.replace("shop", "store"))

    assert compiled.exit_code == 0, compiled.stderr
    assert "3 clusters" in compiled.stdout
    assert again.exit_code == 1
    wrong = invoke("validate", "-f", "-", stdin=MESH.replace("Mesh", "Mash"))
    assert wrong.stderr.startswith("-:2:7: error MESH104")
    assert invoke("publish", "-f", "-", stdin=MESH).exit_code == 2


def test_one_command_works_on_one_mesh() -> None:
    for words in (("-f", "a", "-f", "b"), ("--file=a", "-fb"), ("--file", "a", "-f", "a")):
        refused = invoke("check", *words)
        assert refused.exit_code == 2
        assert "--file is given twice" in refused.stderr


def test_mesh_yaml_is_looked_for_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        tmp_path, {f"repo/prod/{path}": text for path, text in FILES.items()} | {"mesh.yaml": "x", "repo/empty/a": ""}
    )
    (tmp_path / "repo/.git").mkdir()
    monkeypatch.chdir(tmp_path / "repo/prod/clusters")
    found = invoke("validate")
    assert found.exit_code == 0, found.stderr
    write(tmp_path, {"repo/prod/clusters/a.yaml": EDGE.format(n=1).replace("remote", "remot")})
    assert invoke("validate").stderr.startswith("../clusters/a.yaml:6:13: error MESH104")
    assert "5 |" not in invoke("validate").stderr
    assert "    6 |       role: remot" in invoke("validate").stderr
    assert invoke("validate", "-f", "mesh.yaml").exit_code == 2

    monkeypatch.chdir(tmp_path / "repo/empty")
    assert 'there is no "mesh.yaml"' in invoke("validate").stderr
    monkeypatch.chdir(tmp_path / "repo")
    assert "there is prod/mesh.yaml: name it with -f" in invoke("validate").stderr


def test_a_folder_or_a_variable_names_the_mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {f"prod/{path}": text for path, text in FILES.items()})
    monkeypatch.chdir(tmp_path)
    assert invoke("-C", "prod", "validate").exit_code == 0
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MESHC_FILE", "prod/mesh.yaml")
    assert invoke("validate").exit_code == 0
    assert invoke("validate", "-f", "other.yaml").exit_code == 2
    assert invoke("-C", "none", "validate").exit_code == 2


def test_a_link_among_parts_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "elsewhere.yaml": EDGE.format(n=3)})
    (tmp_path / "clusters/c.yaml").symlink_to("../elsewhere.yaml")
    _, problems = Opened(tmp_path / "mesh.yaml").source.parsed()
    (tmp_path / "clusters/c.yaml").unlink()
    (tmp_path / "linked").symlink_to("clusters")
    write(tmp_path, {"mesh.yaml": MESH.replace("clusters/*", "linked/*")})
    _, others = Opened(tmp_path / "mesh.yaml").source.parsed()

    assert [problem.code.id for problem in (*problems, *others)] == ["MESH603", "MESH603"]

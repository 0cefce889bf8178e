"""`meshc validate --fix`: what is certainly meant is shown and written, in place, in all files or in none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshc.errors import Rewrite
from meshc.nearest import slip
from meshc.yamltext.rewrite import rewritten
from support.commands import invoke

MESH = """# ours
apiVersion: meshc/v1alpha1
kind: mesh
metadata: {name: shop}
spec:
  istio: {version: 1.29.6}   # the one
  security: {ca: {type: 'self_signed'}}
  include:
    - {files: parts/*.yaml, may: [clusters, services]}
  networks: [{name: corp}]
  clusters:
    - name: Hub_1
      role: primary
      kubernetesVersion: 1.34
      labels: {zone: 12, on: yes}   # twelve
      podCidrs: [10.10.3.4/16]
      network: crop
      controlPlane: {exposure: load_balancer, addresses: {istiod: '10.0.5.20:15012'}}
"""
MENDED = """# ours
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: shop}
spec:
  istio: {version: 1.29.6}   # the one
  security: {ca: {type: 'self-signed'}}
  include:
    - {files: parts/*.yaml, may: [clusters, services]}
  networks: [{name: corp}]
  clusters:
    - name: hub-1
      role: primary
      kubernetesVersion: "1.34"
      labels: {zone: "12", on: "yes"}   # twelve
      podCIDRs: [10.10.0.0/16]
      network: corp
      controlPlane: {exposure: load-balancer, addresses: {istiod: '10.0.5.20'}}
"""
PART = """apiVersion: meshc/v1alpha1
kind: MeshPart
spec:
  services:
    - name: shop
      manifests: ../apps/shopp.yaml   # here
      clusters: [hub1]
"""
SERVICE = """apiVersion: v1
kind: service  # one
metadata: {name: a, namespace: shop}
spec: {ports: [{port: 80, name: http}]}
"""


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    for name, text in {"mesh.yaml": MESH, "parts/shop.yaml": PART, "apps/shop.yaml": SERVICE}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_all_that_is_certain_is_mended_in_all_files(mesh: Path) -> None:
    checked = invoke("validate", "--fix", "--check")
    assert (checked.exit_code, checked.stdout.splitlines()[-1]) == (1, "3 files to fix: meshc validate --fix")
    assert (mesh / "mesh.yaml").read_text() == MESH

    fixed = invoke("validate", "--fix")
    assert fixed.exit_code == 0, fixed.output
    assert "+      podCIDRs: [10.10.0.0/16]" in fixed.stdout
    assert fixed.stdout.index("+kind: Mesh") < fixed.stdout.index("fixed mesh.yaml, parts/shop.yaml, apps/shop.yaml")
    assert (mesh / "mesh.yaml").read_text() == MENDED
    part = PART.replace("shopp", "shop").replace("hub1", "hub-1")
    assert (mesh / "parts/shop.yaml").read_text() == part
    assert (mesh / "apps/shop.yaml").read_text() == SERVICE.replace("service", "Service")
    assert invoke("validate", "--fix", "--check").exit_code == 0


def test_what_is_left_keeps_its_exit_code_and_its_place_in_the_documents(mesh: Path) -> None:
    (mesh / "apps/shop.yaml").unlink()
    problems = json.loads(invoke("validate", "--format", "json").stdout)["problems"]
    assert {"was": "yes", "value": "yes"} in [one["fix"] for one in problems]
    results = json.loads(invoke("validate", "--format", "sarif").stdout)["runs"][0]["results"]
    change = results[0]["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert change["insertedContent"] == {"text": '"yes"'}
    region = change["deletedRegion"]
    assert MESH.splitlines()[region["startLine"] - 1][region["startColumn"] - 1 : region["endColumn"] - 1] == "yes"

    fixed = invoke("validate", "--fix", "--format", "json")
    document = json.loads(fixed.stdout)
    assert (fixed.exit_code, document["exit"], document["fixed"]) == (3, 3, ["mesh.yaml", "parts/shop.yaml"])
    assert [one["code"] for one in document["problems"]] == ["MESH602"]


def test_nothing_is_changed_where_one_file_cannot_be(mesh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("meshc.disk.transaction.os.rename", fails, raising=False)
    monkeypatch.setattr("os.rename", fails)
    monkeypatch.setattr("os.replace", fails)
    assert invoke("validate", "--fix").exit_code == 4
    assert (mesh / "mesh.yaml").read_text() == MESH
    assert (mesh / "parts/shop.yaml").read_text() == PART


def test_no_secret_is_shown_beside_a_fix(mesh: Path) -> None:
    secret = "AGE-SECRET-KEY-1" + "Q" * 58
    (mesh / "mesh.yaml").write_text(MESH + f"# {secret}\n")
    fixed = invoke("validate", "--fix")
    assert (fixed.exit_code, secret in fixed.output) == (5, False)
    assert "MESH417" in fixed.stderr


def test_it_needs_a_file_and_the_option_that_it_belongs_to(mesh: Path) -> None:
    assert invoke("validate", "--check").exit_code == 2
    assert invoke("validate", "--fix", "-f", "-", stdin=MESH).exit_code == 2


def test_a_file_that_is_named_wrongly_gets_its_name(mesh: Path) -> None:
    (mesh / "sealed/hub-1").mkdir(parents=True)
    (mesh / "sealed/hub-1/cacerts.yml").write_text("kind: x\n")
    plugged = MENDED.replace("self-signed", "plugged-in")
    (mesh / "mesh.yaml").write_text(plugged)
    fixed = invoke("validate", "--fix")
    assert fixed.exit_code == 3
    assert "rename sealed/hub-1/cacerts.yml to sealed/hub-1/cacerts.yaml" in fixed.stdout
    assert (mesh / "sealed/hub-1/cacerts.yaml").read_text() == "kind: x\n"
    assert not (mesh / "sealed/hub-1/cacerts.yml").exists()


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("Edge_1", ("edge-1", "edge-2"), "edge-1"),
        ("edge-3", ("edge-1", "edge-2"), None),
        ("edge-11", ("edge-1", "edge-2"), None),
        ("us-east", ("us-west",), None),
        ("shop-a", ("shop-b",), None),
        ("primry", ("primary", "remote"), "primary"),
        ("priamry", ("primary", "remote"), "primary"),
        ("edge-x", ("edge-xa", "edge-xb"), None),
        ("a", ("b", "ab"), None),
        ("x" * 300, ("x" * 299,), None),
        ("hub", (), None),
    ],
)
def test_only_what_is_certain_is_a_slip(name: str, known: tuple[str, ...], meant: str | None) -> None:
    assert slip(name, known) == (Rewrite(name, meant) if meant else None)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a: no # n\n", 'a: "no" # n\n'),
        ("a: 'no'\n", "a: 'no'\n"),
        ("{a: no, b: no}", '{a: "no", b: no}'),
        ("- no\na: no\n", "- no\na: no\n"),
        ("a: &x no\nb: *x\n", "a: &x no\nb: *x\n"),
        ("a: |\n  no\n", "a: |\n  no\n"),
    ],
)
def test_nothing_but_the_value_at_its_place_changes(text: str, after: str) -> None:
    assert rewritten(text, {(1, 5 if text.startswith("{") else 4): Rewrite("no", "no")}) == after

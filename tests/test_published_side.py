"""Where mesh.yaml says that output/ is published, publish needs no options, and others compare with what is there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from support.commands import invoke
from support.tools import find_tool

pytestmark = pytest.mark.thorough

MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: small}
spec:
  istio: {version: 1.29.6}
  security: {ca: {type: external}}
  clusters:
    - name: hub
      role: primary
      kubernetesVersion: "1.34"
      podCIDRs: [10.10.0.0/16]
      controlPlane: {addresses: {istiod: 10.0.5.20}}
    - {name: edge-1, role: remote, kubernetesVersion: "1.34", podCIDRs: [10.11.0.0/16]}
  namespaces: [{name: shop}]
  delivery:
    engine: flux
    repoURL: https://git.example.com/mesh.git
    revision: deploy
    path: prod/output
    publish: {branch: deploy, path: prod, push: false}
"""


def git(folder: Path, *words: str) -> str:
    person = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    done = subprocess.run(["git", *person, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in (("NAME", "a"), ("EMAIL", "a@example.com")):
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "-q", "-b", "main")
    return change(tmp_path, MESH)


def change(folder: Path, text: str) -> Path:
    (folder / "mesh.yaml").write_text(text)
    git(folder, "add", "mesh.yaml")
    git(folder, "commit", "-qm", "change")
    return folder


def steps() -> list[str]:
    """The second column of the table, above the remarks."""
    lines = invoke("next").stdout.splitlines()[1:]
    return [line.split()[1] for line in lines if not line.startswith(("to be", "seal: "))]


def test_publish_needs_no_options(mesh: Path) -> None:
    first = invoke("publish")
    assert first.exit_code == 0, first.stderr
    files = git(mesh, "ls-tree", "-r", "--name-only", "deploy").splitlines()

    assert "prod/output/hub/kustomization.yaml" in files
    assert all(file.startswith(("prod/output/", "prod/overlays/")) for file in files)
    assert invoke("publish").stdout.startswith("nothing to commit: deploy, below prod/ is up to date")
    assert not (mesh / "output").exists()


def test_check_and_next_look_at_what_is_published(mesh: Path) -> None:
    unknown = invoke("check")
    assert unknown.exit_code == 2
    assert "isn't known here" in unknown.stderr
    assert steps() == ["publish"] * 3
    assert invoke("publish").exit_code == 0
    assert invoke("check").stdout.startswith("up to date: 2 clusters")
    assert steps() == ["sync", "seal"]

    change(mesh, MESH.replace("shop", "store"))
    stale = invoke("check")
    assert stale.exit_code == 1
    assert "not as published in deploy\n  hint: meshc publish" in stale.stderr
    assert steps() == ["publish", "publish"]
    reviewed = invoke("check", "--base", "HEAD", "--format", "github")
    assert reviewed.exit_code == 0
    assert "::notice title=meshc publish::2 files of deploy change with this, once it is published" in reviewed.stdout
    assert "::error" not in reviewed.stdout


def test_some_clusters_are_published(mesh: Path) -> None:
    assert invoke("publish").exit_code == 0
    change(mesh, MESH.replace("shop", "store"))
    some = invoke("publish", "-c", "edge-1")
    assert some.exit_code == 0, some.stderr
    assert "1 of 2 clusters left out" in some.stderr
    changed = git(mesh, "diff", "--name-only", "deploy^", "deploy").splitlines()

    assert changed == ["prod/output/edge-1/namespaces.yaml", "prod/overlays/edge-1/namespaces.yaml"]
    assert steps() == ["publish", "seal"]
    assert invoke("check", "-c", "edge-1").exit_code == 0
    assert invoke("publish").exit_code == 0
    assert invoke("check").exit_code == 0


def test_an_option_that_the_engine_does_not_follow_is_told(mesh: Path) -> None:
    told = invoke("publish", "--branch", "other")
    assert told.exit_code == 0
    assert "flux is configured to read deploy, and this is branch other" in told.stderr
    assert git(mesh, "branch", "--list", "deploy") == ""


def test_another_repository_that_mesh_yaml_names_is_none_of_this_machine(mesh: Path) -> None:
    for repo in ("../deploy", "file:///tmp/deploy", "ext::sh -c id", "--upload-pack=id"):
        change(mesh, MESH.replace("branch: deploy", f'branch: deploy, repo: "{repo}"'))
        refused = invoke("publish")
        assert refused.exit_code == 3, refused.stderr
        assert "MESH751" in refused.stderr
        assert invoke("validate").exit_code == 3


def test_what_is_published_elsewhere_is_named_by_a_folder(mesh: Path) -> None:
    text = MESH.replace("branch: deploy,", "branch: deploy, repo: 'git@git.example.com:mesh.git',")
    change(mesh, text)
    unknown = invoke("check")
    assert unknown.exit_code == 2
    assert "--against DIR" in unknown.stderr
    assert invoke("check", "--base", "HEAD").exit_code == 0


def test_an_unsigned_commit_is_not_published_to_flux_that_verifies(mesh: Path) -> None:
    change(mesh, MESH.replace("    revision:", "    flux: {verifySecret: git-keys}\n    revision:"))
    refused = invoke("publish")
    assert refused.exit_code == 5
    assert "Git doesn't sign commits here" in refused.stderr
    assert "verify:\n    mode: HEAD\n    secretRef:\n      name: git-keys\n" in root_of(mesh)


def test_an_unsigned_commit_is_not_published_to_argo_cd_that_verifies(mesh: Path) -> None:
    argo = MESH.replace("engine: flux", "engine: argo-cd\n    project: mesh\n    signatureKeys: [4AEE18F83AFDEB23]")
    change(mesh, argo)
    refused = invoke("publish")
    assert refused.exit_code == 5
    assert "Argo CD accepts only signed commits (delivery.signatureKeys), but Git doesn't sign" in refused.stderr
    git(mesh, "config", "commit.gpgSign", "true")
    git(mesh, "config", "gpg.format", "ssh")
    assert "Git signs with ssh here, and Argo CD verifies PGP signatures alone" in invoke("publish").stderr

    git(mesh, "config", "commit.gpgSign", "false")  # no key to commit with is at hand
    change(mesh, argo.replace("    project: mesh\n", ""))
    assert "signatureKeys goes with a project of its own" in invoke("validate").stderr


def test_a_commit_of_another_key_is_not_published_to_argo_cd_that_verifies(
    mesh: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path_factory.mktemp("gpg")  # short: gpg-agent listens at a path in it
    home.chmod(0o700)
    gpg = find_tool("gpg")
    monkeypatch.setenv("GNUPGHOME", str(home))
    make = (
        "--batch",
        "--quiet",
        "--passphrase",
        "",
        "--quick-gen-key",
        "a <a@example.com>",
        "ed25519",
        "sign",
        "never",
    )
    subprocess.run([gpg, *make], check=True, capture_output=True)
    listed = subprocess.run([gpg, "--list-keys", "--with-colons"], check=True, capture_output=True, text=True).stdout
    key = next(line for line in listed.splitlines() if line.startswith("pub:")).split(":")[4]
    git(mesh, "config", "commit.gpgSign", "true")
    argo = MESH.replace("engine: flux", "engine: argo-cd\n    project: mesh\n    signatureKeys: [4AEE18F83AFDEB23]")
    change(mesh, argo)

    refused = invoke("publish")
    change(mesh, argo.replace("4AEE18F83AFDEB23", key))
    done = invoke("publish")

    assert (refused.exit_code, done.exit_code) == (5, 0), (refused.stderr, done.stderr)
    assert f"Git signs with key {key} here, and Argo CD accepts only 4AEE18F83AFDEB23" in refused.stderr
    subprocess.run([find_tool("gpgconf"), "--kill", "gpg-agent"], check=True)


def test_what_is_wrong_with_the_mesh_is_told_before_a_missing_origin(mesh: Path) -> None:
    text = MESH.replace("push: false", "push: true")
    change(mesh, text)
    assert "origin" in invoke("publish").stderr
    change(mesh, text.replace("10.11.0.0/16", "10.10.0.0/16"))
    wrong = invoke("publish")

    assert wrong.exit_code == 3
    assert "MESH215" in wrong.stderr
    assert "origin" not in wrong.stderr


def root_of(mesh: Path) -> str:
    assert invoke("compile").exit_code == 0
    return (mesh / "output/_delivery/flux/root.yaml").read_text()


def test_where_output_lies_beside_mesh_yaml_that_is_compared(mesh: Path) -> None:
    text = MESH.replace("branch: deploy, path: prod,", "branch: main,")
    text = text.replace("revision: deploy", "revision: main").replace("path: prod/output", "path: output")
    change(mesh, text)
    assert invoke("check").exit_code == 1
    assert invoke("compile").exit_code == 0
    assert invoke("check").exit_code == 0
    assert invoke("check", "--against", ".").exit_code == 0


def test_diff_shows_what_publishing_would_change(mesh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_BASE_REF", raising=False)
    before = invoke("diff")
    assert "isn't known here, so a commit of mesh.yaml is compared" in before.stderr
    invoke("publish")
    assert invoke("diff").exit_code == 0
    change(mesh, MESH.replace("namespaces: [{name: shop}]", "namespaces: [{name: store}]"))
    found = invoke("diff")
    data = json.loads(invoke("diff", "--format", "json").stdout)

    assert found.exit_code == 1
    assert "+ add" in found.stdout
    assert "store" in found.stdout
    assert data["base"] == "deploy"
    assert {one["code"] for one in data["dangers"]} == {"MESH809"}
    assert "notice" not in found.stderr, "the mesh.yaml of the published commit's source is read"
    assert json.loads(invoke("diff", "--base", "HEAD", "--format", "json").stdout)["changes"] == []

    invoke("publish")
    assert invoke("diff").exit_code == 0
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    git(mesh, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert json.loads(invoke("diff", "--format", "json").stdout)["base"] == "origin/main", (
        "a review's base is its target"
    )

"""Inventories: what each form tells, where it stands, what it must not hold; and what a change by chance does."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from meshc.cli.complete import clusters
from meshc.commands.edit import edited
from meshc.commands.opened import Opened
from meshc.disk.repository import Repository
from meshc.errors import ProblemsError, ToolError
from meshc.mesh.source import Source, load
from meshc.output.kustomize import Kustomize
from meshc.pipeline import compile_mesh, plan_mesh
from meshc.yamltext.edit import EditError
from support.cases import find_case
from support.commands import invoke
from support.mutations import of_bytes, of_form, of_yaml
from support.tools import tries

if TYPE_CHECKING:
    from meshc.errors import Path as Steps

pytestmark = pytest.mark.thorough

FORMS = {
    "clusters-from-argo-cd": "inventory/argocd.yaml",
    "clusters-from-cluster-profiles": "fleet.yaml",
    "clusters-from-cluster-api": "clusters.yaml",
    "clusters-from-a-kubeconfig": "kubeconfig.yaml",
    "clusters-from-terraform": "outputs.json",
}


def source_of(case: str) -> Source:
    folder = find_case(case)
    return load((folder / "mesh.yaml").read_bytes(), "mesh.yaml", Repository(folder, folder, cached=False))


def told(source: Source) -> list[dict[str, Any]]:
    mesh, problems = source.parsed()
    assert mesh, problems
    return [one.model_dump(by_alias=True, exclude_unset=True) for one in mesh.spec.clusters[1:]]


def test_each_form_tells_what_it_has() -> None:
    assert {case: told(source_of(case)) for case in FORMS} == {
        "clusters-from-argo-cd": [
            {
                "name": "edge-2",
                "apiServer": "https://10.2.0.10:6443",
                "kubernetesVersion": "1.34",
                "labels": {"env": "test", "tier": "lab"},
                "role": "remote",
                "podCIDRs": ("10.12.0.0/16",),
            },
            {
                "name": "edge-1",
                "apiServer": "https://10.1.0.10:6443",
                "kubernetesVersion": "1.34",
                "labels": {"env": "prod", "region": "eu"},
                "role": "remote",
            },
        ],
        "clusters-from-cluster-profiles": [
            {
                "name": "edge-1",
                "labels": {"env": "prod", "x-k8s.io/cluster-manager": "fleet"},
                "kubernetesVersion": "1.33",
                "apiServer": "https://10.1.0.10:6443",
                "role": "remote",
            },
            {"name": "edge-2", "role": "remote"},
        ],
        "clusters-from-cluster-api": [
            {
                "name": "edge-1",
                "labels": {"env": "prod"},
                "podCIDRs": ("10.11.0.0/16",),
                "serviceCIDRs": ("10.111.0.0/16",),
                "kubernetesVersion": "1.34",
                "apiServer": "https://10.1.0.10:6443",
                "role": "remote",
            },
            {
                "name": "edge-2",
                "podCIDRs": ("10.12.0.0/16", "fd00:12::/48"),
                "kubernetesVersion": "1.33",
                "apiServer": "https://[fd00:2::10]:6443",
                "role": "remote",
            },
        ],
        "clusters-from-a-kubeconfig": [
            {"name": "edge-1", "apiServer": "https://10.1.0.10:6443", "role": "remote"},
            {"name": "edge-2", "apiServer": "https://10.2.0.10:6443", "role": "remote"},
        ],
        "clusters-from-terraform": [
            {
                "name": "edge-1",
                "apiServer": "https://10.1.0.10:6443",
                "kubernetesVersion": "1.34",
                "podCIDRs": ("10.11.0.0/16",),
                "serviceCIDRs": ("10.111.0.0/16",),
                "labels": {"env": "prod"},
                "role": "remote",
            },
            {
                "name": "edge-2",
                "apiServer": "https://10.2.0.10:6443",
                "kubernetesVersion": "1.33",
                "podCIDRs": ("10.12.0.0/16",),
                "serviceCIDRs": ("10.112.0.0/16",),
                "role": "remote",
            },
        ],
    }


def test_the_first_inventory_that_tells_a_key_counts() -> None:
    one, two = told(source_of("clusters-from-two-inventories"))

    assert (one["labels"], one["podCIDRs"], one["kubernetesVersion"]) == (
        {"env": "prod", "region": "eu"},
        ("10.11.0.0/16",),
        "1.34",
    )
    assert (two["apiServer"], two["podCIDRs"]) == ("https://10.2.0.10:6443", ("10.12.0.0/16", "fd00:12::/48"))


@pytest.mark.parametrize(
    ("steps", "place"),
    [
        ((1, "name"), "mesh.yaml:15:14"),
        ((1, "labels", "env"), "mesh.yaml:15:87"),
        ((1, "apiServer"), "inventory/argocd.yaml:41:13"),
        ((2, "name"), "mesh.yaml:6:14"),
        ((2, "labels", "region"), "inventory/argocd.yaml:23:15"),
        ((2, "podCIDRs"), "mesh.yaml:6:14"),
        ((0, "role"), "mesh.yaml:11:13"),
    ],
)
def test_each_value_stands_where_it_was_said(steps: Steps, place: str) -> None:
    document = source_of("clusters-from-argo-cd").document

    assert str(document.place(("spec", "clusters", *steps))) == place


def test_what_an_inventory_says_is_not_edited(tmp_path: Path) -> None:
    case = find_case("clusters-from-argo-cd")
    (tmp_path / "inventory").mkdir()
    for path in ("mesh.yaml", "inventory/argocd.yaml"):
        (tmp_path / path).write_bytes((case / path).read_bytes())
    opened = Opened(tmp_path / "mesh.yaml")

    with pytest.raises(EditError, match="is an inventory") as error:
        edited(opened, {("spec", "clusters", 2, "kubernetesVersion"): "1.35"}, write=True)
    assert "refresh it" in error.value.hint
    edited(opened, {("spec", "clusters", 1, "kubernetesVersion"): "1.35"}, write=True)
    assert 'kubernetesVersion: "1.35"' in (tmp_path / "mesh.yaml").read_text()


def test_the_shell_completes_clusters_of_inventories() -> None:
    named = {case: [name for name, _ in clusters(find_case(case) / "mesh.yaml")] for case in FORMS}

    assert named == {case: ["hub", "edge-1", "edge-2"] for case in FORMS} | {
        "clusters-from-argo-cd": ["hub", "edge-2", "in-cluster", "edge-1"]
    }


def test_an_inventory_that_is_in_no_commit_is_not_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    monkeypatch.chdir(tmp_path)
    case = find_case("clusters-from-terraform")
    for path in ("mesh.yaml", "outputs.json"):
        (tmp_path / path).write_bytes((case / path).read_bytes())
    person = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (("init", "-q"), ("add", "mesh.yaml"), ("commit", "-qm", "one")):
        subprocess.run(["git", *person, *words], cwd=tmp_path, check=True, capture_output=True)
    refused = invoke("publish", "--branch", "deploy")

    assert refused.exit_code == 5
    assert "outputs.json" in refused.stderr


CREDENTIALS = {
    "a token in Argo CD's config": ("argocd-secrets", {"bearerToken": "x"}),
    "a password in Argo CD's config": ("argocd-secrets", {"username": "a", "password": "b"}),
    "a key in Argo CD's config": ("argocd-secrets", {"tlsClientConfig": {"keyData": "LS0t"}}),
    "a program in Argo CD's config": ("argocd-secrets", {"execProviderConfig": {"command": "x", "env": {"A": "b"}}}),
}


@pytest.mark.parametrize("config", [config for _, config in CREDENTIALS.values()], ids=[*CREDENTIALS])
@pytest.mark.parametrize("key", ["stringData", "data"])
def test_no_form_of_credentials_of_argo_cd_is_taken(tmp_path: Path, config: dict[str, Any], key: str) -> None:
    from base64 import b64encode

    values = {"name": "edge-1", "server": "https://10.1.0.10", "config": json.dumps(config)}
    if key == "data":
        values = {name: b64encode(value.encode()).decode() for name, value in values.items()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, key: values}
    problems = refused(tmp_path, "argocd-secrets", secret)

    assert [problem.code.id for problem in problems] == ["MESH417"]
    assert "b" not in problems[0].what.split()


@pytest.mark.parametrize(
    "more",
    [
        {"data": {"token": "c29tZXRoaW5n"}},
        {"metadata": {"name": "x", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}},
    ],
    ids=["another value", "what kubectl noted"],
)
def test_a_secret_beside_the_known_keys_is_refused(tmp_path: Path, more: dict[str, Any]) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "stringData": {"name": "edge-1"}, **more}

    assert refused(tmp_path, "argocd-secrets", secret)


@pytest.mark.parametrize("user", [{"token": "x"}, {"password": "x"}, {"exec": {"command": "x"}}, {"auth-provider": {}}])
def test_no_user_of_a_kubeconfig_is_taken(tmp_path: Path, user: dict[str, Any]) -> None:
    config = {
        "kind": "Config",
        "clusters": [{"name": "edge-1", "cluster": {"server": "https://10.1.0.10"}}],
        "users": [{"name": "a", "user": user}],
    }

    assert [problem.code.id for problem in refused(tmp_path, "kubeconfig", config)] == ["MESH417"]


def test_a_scan_takes_an_inventory_and_no_config_in_one(tmp_path: Path) -> None:
    good = find_case("clusters-from-argo-cd") / "inventory/argocd.yaml"
    bad = find_case("inventory-with-credentials-of-argo-cd") / "inventory/argocd.yaml"
    for name, file in (("good", good), ("bad", bad)):
        (tmp_path / f"{name}.yaml").write_bytes(file.read_bytes())

    assert invoke("secrets", "scan", str(tmp_path / "good.yaml")).exit_code == 0
    assert invoke("secrets", "scan", str(tmp_path / "bad.yaml")).exit_code == 5


def refused(folder: Path, form: str, body: Any) -> list[Any]:
    (folder / "list.yaml").write_text(json.dumps(body))
    text = (find_case("clusters-from-a-kubeconfig") / "mesh.yaml").read_text()
    text = text.replace("kubeconfig.yaml, format: kubeconfig", f"list.yaml, format: {form}")
    with pytest.raises(ProblemsError) as error:
        plan_mesh(load(text.encode(), "mesh.yaml", Repository.around(folder)))
    return list(error.value.problems)


def refuse() -> Kustomize:
    raise ToolError("nothing is built here")


TRIED = int(os.environ.get("MESHC_TEST_MUTATIONS", 0)) or tries(150)


@pytest.mark.parametrize("case", FORMS)
def test_a_mutated_inventory_is_told_or_taken(case: str, tmp_path: Path) -> None:
    chance = random.Random(f"26 {case}")
    path = FORMS[case]
    (tmp_path / path).parent.mkdir(exist_ok=True)
    mesh, ours = (find_case(case) / "mesh.yaml").read_bytes(), (find_case(case) / path).read_bytes()
    at = Repository.around(tmp_path)
    outcomes = {"told": 0, "taken": 0}
    for _ in range(TRIED):
        text, listed = mesh, ours
        if chance.randrange(4):
            listed = chance.choice((of_bytes, of_form, of_yaml))(ours, chance)
        else:
            text = chance.choice((of_bytes, of_form, of_yaml))(mesh, chance)
        (tmp_path / path).write_bytes(listed)
        try:
            compile_mesh(load(text, "mesh.yaml", at), at, refuse)
            outcomes["taken"] += 1
        except ToolError:
            outcomes["told"] += 1
        except ProblemsError as error:
            outcomes["told"] += 1
            elsewhere = [one for one in error.problems if one.place.file not in ("mesh.yaml", path)]
            assert elsewhere == []

    assert min(outcomes.values()) > TRIED // 50

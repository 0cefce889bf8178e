"""output/_delivery/: what Argo CD and Flux are told builds, fits their schemas, and names folders that are there."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshc.checks.fleet.delivery import repository_fault
from meshc.delivery.exclusions import LEFT_OUT, patch
from meshc.tree import HEADER
from support.cases import CASES, expected_trees, id_of, read
from support.paths import ROOT
from support.schemas import CRDS as FOLDER
from support.schemas import check_crd
from support.tools import find_tool

pytestmark = pytest.mark.thorough


def delivering(engine: str) -> list[Path]:
    """The cases that expect files for an engine."""
    return [
        case for case in CASES if any(path.startswith(f"output/_delivery/{engine}") for path in expected_trees(case))
    ]


BY_ARGO_CD, BY_FLUX = delivering("argo-cd"), delivering("flux")
BY_ANY = delivering("")
CRDS = {
    "Application": "argo-cd-application-crd.yaml",
    "Kustomization": "flux-kustomization.yaml",
    "GitRepository": "flux-gitrepositories.yaml",
}
Body = dict[str, Any]


@pytest.fixture
def tree(case: Path, tmp_path: Path) -> Path:
    """A folder with the trees that a case expects."""
    for path, data in expected_trees(case).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    return tmp_path


def documents(text: str | bytes) -> list[Body]:
    return list(yaml.load_all(text, Loader=yaml.CSafeLoader))


def delivered(tree: Path) -> Iterator[tuple[Path, Body]]:
    """Every object of output/_delivery with its file, those that a person applies among them."""
    for file in sorted((tree / "output/_delivery").rglob("*.yaml")):
        if file.name != "kustomization.yaml":
            for body in documents(file.read_text()):
                yield file, body


def build(folder: Path) -> list[Body]:
    return documents(subprocess.check_output([find_tool("kubectl"), "kustomize", folder]))


def build_as_told(tree: Path, body: Body) -> list[Body]:
    """What a Kustomization of Flux's makes of its folder, its patches applied."""
    told = tree / "told" / body["metadata"]["name"]
    told.mkdir(parents=True, exist_ok=True)
    spec = {"resources": [f"../../{path_of(body)}"], "patches": body["spec"].get("patches", [])}
    (told / "kustomization.yaml").write_text(yaml.safe_dump(spec))
    return documents(subprocess.check_output([find_tool("kubectl"), "kustomize", told]))


def path_of(body: Body) -> str | None:
    """The folder that an engine applies for this object."""
    spec = body["spec"]
    path = spec["source"]["path"] if body["kind"] == "Application" else spec.get("path")
    return path.removeprefix("./") if path else None


def test_there_are_trees_of_both_engines() -> None:
    assert len(BY_ARGO_CD) > 2
    assert len(BY_FLUX) > 1


@pytest.mark.parametrize("case", BY_ANY, ids=id_of)
def test_each_folder_that_an_engine_is_given_builds(tree: Path) -> None:
    paths = {path for _, body in delivered(tree) if (path := path_of(body))}
    clusters = {folder.name for folder in (tree / "output").iterdir() if not folder.name.startswith("_")}

    built = {path: build(tree / path) for path in paths}

    assert {path.removeprefix("output/") for path in paths if "_delivery" not in path} == clusters
    assert all(built.values())


@pytest.mark.parametrize("case", BY_ANY, ids=id_of)
def test_a_root_applies_all_but_itself(tree: Path) -> None:
    roots = sorted((tree / "output/_delivery").rglob("root.yaml"))
    for root in roots:
        applies = {(body["kind"], body["metadata"]["name"]) for body in build(root.parent)}
        there = {(b["kind"], b["metadata"]["name"]) for file, b in delivered(tree) if root.parent in file.parents}
        by_hand = [root, *root.parent.glob("project.yaml")]
        own = {(body["kind"], body["metadata"]["name"]) for file in by_hand for body in documents(file.read_text())}

        assert applies == there - own
        assert path_of(documents(root.read_text())[-1]) == str(root.parent.relative_to(tree))
    assert roots


@pytest.mark.parametrize("case", BY_ANY, ids=id_of)
def test_only_clusters_have_a_kustomization_right_below_output(tree: Path) -> None:
    """What a generator over output/*/kustomization.yaml finds."""
    found = [file.parent.name for file in (tree / "output").glob("*/kustomization.yaml")]

    assert [name for name in found if name.startswith("_")] == []
    assert len(found) > 1


@pytest.mark.parametrize("case", BY_ANY, ids=id_of)
def test_objects_fit_the_definitions_of_their_engines(tree: Path) -> None:
    if not FOLDER.is_dir():
        pytest.skip("MESHC_CRDS names no folder of CustomResourceDefinitions")
    for _, body in delivered(tree):
        check_crd(body, FOLDER / CRDS[body["kind"]])


@pytest.mark.parametrize("case", BY_FLUX, ids=id_of)
def test_objects_fit_the_models_of_flux(tree: Path) -> None:
    if importlib.util.find_spec("cloudcoil") is None or importlib.util.find_spec("cloudcoil.models.fluxcd") is None:
        if os.environ.get("CI"):
            pytest.fail("the models of Flux are missing, and this is CI")
        pytest.skip("the models of Flux are missing")
    from cloudcoil.models.fluxcd.kustomize.v1 import Kustomization
    from cloudcoil.models.fluxcd.source.v1 import GitRepository

    for _, body in delivered(tree):
        (Kustomization if body["kind"] == "Kustomization" else GitRepository).model_validate(body)


@pytest.mark.parametrize("case", BY_FLUX, ids=id_of)
def test_flux_decrypts_exactly_where_something_is_sealed_by_sops(tree: Path) -> None:
    for file, body in delivered(tree):
        if body["kind"] == "Kustomization" and file.name != "root.yaml":
            sealed = any("sops" in one for one in build_as_told(tree, body))

            assert ("decryption" in body["spec"]) == sealed


@pytest.mark.parametrize("case", BY_FLUX, ids=id_of)
def test_flux_applies_each_object_once_and_configuration_after_istiod(tree: Path) -> None:
    parts: dict[str, list[list[Body]]] = {}
    for file, body in delivered(tree):
        if body["kind"] == "Kustomization" and file.name != "root.yaml":
            parts.setdefault(str(path_of(body)), []).append(build_as_told(tree, body))
    for path, applied in parts.items():
        together = sorted(yaml.safe_dump(body) for part in applied for body in part)

        assert together == sorted(yaml.safe_dump(body) for body in build(tree / path))
    assert max(len(applied) for applied in parts.values()) == 2
    for applied in parts.values():
        first = [body for part in applied for body in part if "meshc/stage" not in str(body["metadata"])]
        assert not [body for body in first if ".istio.io/" in body["apiVersion"]]


def test_what_must_outlive_a_cluster_is_protected() -> None:
    """Prune and the finalizers of the engines take along everything else."""
    wanted = {
        "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
        "kustomize.toolkit.fluxcd.io/prune": "disabled",
    }
    checked = 0
    files = {f"{id_of(case)} {path}": data for case in CASES for path, data in expected_trees(case).items()}
    files |= read(ROOT / "output", " output/")
    for path, data in files.items():
        if re.search(r" output/[^/]+/(namespaces|cacerts)\.yaml$", path):
            for body in documents(data):
                assert wanted.items() <= body["metadata"]["annotations"].items(), path
                checked += 1
    assert checked > 100


@pytest.mark.parametrize("kinds", [LEFT_OUT[:1], LEFT_OUT[1:], LEFT_OUT])
def test_the_patch_of_argo_cd_lets_in_what_is_needed_and_nothing_else(kinds: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "argocd-cm.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm, namespace: argocd}\n"
        "data: {url: https://argo.example, resource.exclusions: '[]'}\n"
    )
    (tmp_path / "patch.txt").write_bytes(patch(kinds, "argocd"))

    command = ["patch", "--local", "-f", "argocd-cm.yaml", "--patch-file", "patch.txt", "-o", "yaml"]
    data = documents(subprocess.check_output([find_tool("kubectl"), *command], cwd=tmp_path))[0]["data"]

    left_out = [kind for entry in yaml.safe_load(data["resource.exclusions"]) for kind in entry["kinds"]]
    assert data["url"] == "https://argo.example"
    assert {*LEFT_OUT} - {*left_out} == {*kinds}
    assert {"Lease", "TokenReview", "CertificateRequest", "CiliumEndpoint"} <= {*left_out}


@pytest.mark.parametrize("case", BY_ARGO_CD, ids=id_of)
def test_the_patch_is_no_file_that_an_engine_takes(tree: Path) -> None:
    needed = {body["kind"] for file in tree.glob("output/*/*.yaml") for body in documents(file.read_text())}
    folder = tree / "output/_delivery/argo-cd"
    texts = [file.name for file in folder.iterdir() if file.is_file() and file.suffix != ".yaml"]

    assert texts == (["resource-exclusions.txt"] if needed & {*LEFT_OUT} else [])
    assert all((folder / name).read_bytes().startswith(HEADER) for name in texts)


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.com/mesh.git",
        "https://git.example.com:8443/a/b%20c/_git/mesh",
        "ssh://git@git.example.com:22/~me/mesh.git",
        "ssh://git.example.com/mesh",
    ],
)
def test_addresses_of_repositories(url: str) -> None:
    assert repository_fault(url, short=False) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "-oProxyCommand=x",
        "--upload-pack=touch x",
        "ext::sh -c touch% x",
        "file:///etc",
        "http://git.example.com/mesh",
        "https://git.example.com/{{ .path }}",
        "https://git.example.com/${HOME}",
        "https://git.example.com/mesh\n",
        "https://git.example.com/me sh",
        "https://git.example.com/mesh?ref=main",
        "https://git.example.com/-x",
        "https://-x/mesh",
        "ssh://-oProxyCommand=x/mesh",
        "ssh://git@-x/mesh",
        "ssh://-x@git.example.com/mesh",
        "git.example.com/mesh",
        "-x@git.example.com:mesh",
        "git@git.example.com:-x",
        "git@git.example.com:mesh\u202e",
    ],
)
def test_what_is_no_address_of_a_repository(url: str) -> None:
    assert repository_fault(url, short=True) is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://me:hunter2@git.example.com/mesh.git",
        "https://hunter2@git.example.com/mesh.git",
        "ssh://git:hunter2@git.example.com/mesh.git",
        "https://git.example.com/mesh.git?token=hunter2",
        "http://me:hunter2@git.example.com/mesh",
        "me:hunter2@git.example.com/mesh",
    ],
)
def test_no_message_shows_a_password(url: str) -> None:
    fault = repository_fault(url, short=False)

    assert fault is not None
    assert "hunter2" not in "".join(fault)


def test_the_short_form_is_argo_cds_alone() -> None:
    assert repository_fault("git@git.example.com:mesh.git", short=True) is None
    assert repository_fault("git@git.example.com:mesh.git", short=False) == (
        "Flux doesn't accept the short form user@host:path",
        "write ssh://git@git.example.com/mesh.git",
    )

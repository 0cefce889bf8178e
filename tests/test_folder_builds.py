"""Folders with a kustomization that one run of kustomize builds together are what kustomize makes of each alone."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from meshc.disk.repository import Repository
from meshc.errors import BuildError
from meshc.kube import Version
from meshc.output.folders import build_folders
from meshc.output.kustomize import Kustomize
from support.component_forms import APART, WHOLE, Form, component_by_chance, write_component
from support.counted_builds import KUBECTL, compiled, counting
from support.patch_forms import BY_HAND, RESOURCES, write_mesh
from support.processes import meshc
from support.their_objects import BY_NAME, UNSURE, theirs_by_chance
from support.tools import find_tool

pytestmark = pytest.mark.thorough


def as_folder(folder: Path, *, namespace: str = "", head: bool = True) -> None:
    """Makes a component of tests an ordinary kustomization."""
    path = folder / "kustomization.yaml"
    body = json.loads(path.read_text()) | ({"namespace": namespace} if namespace else {})
    body |= {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    if not head:
        del body["apiVersion"], body["kind"]
    path.write_text(json.dumps(body))


def compared(folder: Path, names: Sequence[str], *, refused: Sequence[str] | None = ()) -> list[str]:
    """Builds some folders together, and compares each with kustomize's output for it alone. The folders that kustomize
    was started for. `refused` are those that kustomize refuses; None for any."""
    program, log = counting(folder), folder / "log"
    kustomize = Kustomize((str(program), "kustomize"), Version(5, 8, 1))
    files = {name: {f"{name}/{path.name}": path.read_bytes() for path in (folder / name).iterdir()} for name in names}

    built = build_folders(kustomize, Repository(folder, folder, cached=False), files)
    started = [line.removeprefix("kustomize ") for line in log.read_text().splitlines()]
    for name in names:
        kubectl = [KUBECTL or find_tool("kubectl"), "kustomize", name]
        alone = subprocess.run(kubectl, cwd=folder, capture_output=True, check=False)
        assert isinstance(built[name], BuildError) == bool(alone.returncode), alone.stderr
        assert refused is None or (name in refused) == bool(alone.returncode), alone.stderr
        assert alone.returncode or built[name] == alone.stdout, name
    return started


def test_folders_of_every_form(tmp_path: Path) -> None:
    forms: list[Form] = [
        (RESOURCES, BY_HAND[18:21], {}),
        *(form for form in APART if form[0] and not form[1]),
        (BY_NAME[4][0], [], {}),
    ]
    names = [write_component(tmp_path, f"f{number}", form) for number, form in enumerate(forms)]
    for number, name in enumerate(names):
        as_folder(tmp_path / name, namespace="shop" if number % 2 else "", head=number % 3 > 0)

    started = compared(tmp_path, names)
    assert "batch" in started
    assert not {*names} & {*started}


def test_what_may_change_other_objects_is_built_alone(tmp_path: Path) -> None:
    forms: list[Form] = [
        (RESOURCES, [], fields) for _, _, fields in WHOLE if fields and "patchesStrategicMerge" not in fields
    ]
    names = [write_component(tmp_path, f"f{number}", form) for number, form in enumerate(forms)]
    for name in names:
        as_folder(tmp_path / name)

    assert sorted(names) == sorted(compared(tmp_path, names))


def test_a_namespace_that_kustomize_writes_into_references(tmp_path: Path) -> None:
    binding = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: binding}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: app}\n"
        "subjects: [{kind: ServiceAccount, name: app}, {kind: ServiceAccount, name: default}]\n"
        "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: app}\n"
    )
    texts = [binding.replace("app", f"app{number}") for number in range(6)]
    names = [write_component(tmp_path, f"f{number}", (text, [], {})) for number, text in enumerate(texts)]
    for number, name in enumerate(names):
        as_folder(tmp_path / name, namespace="shop" if number else "")

    assert {*compared(tmp_path, names)} == {"batch", "unit"}


def test_a_folder_that_kustomize_refuses_doesnt_stop_the_others(tmp_path: Path) -> None:
    forms: list[Form] = [(RESOURCES, [], {}), UNSURE_FORM, (RESOURCES, [], {"commonLabels": {"a": "b"}})]
    names = [write_component(tmp_path, f"f{number}", form) for number, form in enumerate(forms)]
    for name in names:
        as_folder(tmp_path / name)

    assert "f1" in compared(tmp_path, names, refused=["f1"])


UNSURE_FORM: Form = (UNSURE[0], UNSURE[1], {})


@pytest.mark.parametrize("patch", ["[7]", "[null]", "[{op: 5, path: /a}]", "5", "{metadata: 5}"])
def test_a_folder_whose_patch_is_none(tmp_path: Path, patch: str) -> None:
    forms: list[Form] = [(RESOURCES, [(patch, {"kind": "Deployment"})], {}), (RESOURCES, [], {})]
    names = [write_component(tmp_path, f"f{number}", form) for number, form in enumerate(forms)]
    for name in names:
        as_folder(tmp_path / name)

    assert "f0" in compared(tmp_path, names, refused=["f0"])


@pytest.mark.parametrize("seed", range(300 if os.environ.get("MESHC_TEST_LONG") == "1" else 1))
def test_folders_by_chance(tmp_path: Path, seed: int) -> None:
    chance = random.Random(f"folders {seed}")
    names = []
    for number in range(12):
        text, patches = theirs_by_chance(chance, odd=number > 8)
        fields = component_by_chance(chance, f"n{number}")[2]
        names.append(write_component(tmp_path, f"f{number}", (text, patches, fields)))
        as_folder(tmp_path / names[-1], namespace=chance.choice(("", "", "shop", "elsewhere")))

    compared(tmp_path, names, refused=None)


def test_verify_builds_each_folder_alone(tmp_path: Path) -> None:
    names = [write_component(tmp_path, f"f{number}", (text, [], {})) for number, text in enumerate(TEXTS)]
    for name in names:
        as_folder(tmp_path / name)
    write_mesh(tmp_path, [[]] * len(names), "")
    mesh = tmp_path / "mesh.yaml"
    for name in names:
        mesh.write_text(mesh.read_text().replace('"resources": []', f'"resources": ["{name}"]', 1))

    _, started = compiled(tmp_path)
    assert not {*names} & {*started}
    verified = meshc("verify", cwd=tmp_path, MESHC_KUSTOMIZE=str(tmp_path / "kustomize"))
    assert "equal to kustomize" in verified.stdout, verified.stderr
    assert {*names} <= {line.removeprefix("kustomize ") for line in (tmp_path / "log").read_text().splitlines()}


TEXTS = [f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{number}, namespace: shop}}\n" for number in range(4)]

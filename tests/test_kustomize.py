"""Which kustomize is found, and how its failures are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshc.disk.repository import Repository
from meshc.errors import ToolError
from meshc.kube import Identity, Version
from meshc.output import kustomize
from meshc.output.split import identity_in, split
from support.tools import find_tool


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "work").mkdir()
    return Repository.around(tmp_path / "work")


def program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


SPEAKS = '#!/bin/sh\n[ "$1" = version ] && echo {}\n'


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """No kustomize but those that the test makes."""
    monkeypatch.delenv("MESHC_KUSTOMIZE", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    return monkeypatch


def test_the_one_that_is_named_wins(bare: pytest.MonkeyPatch, tmp_path: Path, repository: Repository) -> None:
    named = program(tmp_path / "else", "my-kustomize", SPEAKS.format("v5.4.2"))
    program(tmp_path / "path", "kustomize", SPEAKS.format("v5.5.0"))
    bare.setenv("MESHC_KUSTOMIZE", str(named))

    assert kustomize.find(repository) == kustomize.Kustomize((str(named), "build"), Version(5, 4, 2))


def test_one_on_path_is_preferred_to_kubectl(bare: pytest.MonkeyPatch, tmp_path: Path, repository: Repository) -> None:
    found = program(tmp_path / "path", "kustomize", SPEAKS.format("'{Version:kustomize/v4.5.7 GitCommit:abc}'"))

    assert kustomize.find(repository) == kustomize.Kustomize((str(found), "build"), Version(4, 5, 7))


def test_a_python_script_of_that_name_is_never_run(
    bare: pytest.MonkeyPatch, tmp_path: Path, repository: Repository
) -> None:
    kubectl = find_tool("kubectl")
    trace = tmp_path / "ran"
    program(tmp_path / "path", "kustomize", f"#!/usr/bin/env python3\nopen({str(trace)!r}, 'w')\n")

    found = kustomize.find(repository)

    assert found.argv == (kubectl, "kustomize")
    assert not trace.exists()


def test_a_named_one_that_is_no_kustomize(bare: pytest.MonkeyPatch, tmp_path: Path, repository: Repository) -> None:
    bare.setenv("MESHC_KUSTOMIZE", str(program(tmp_path / "path", "kustomize", "#!/bin/sh\necho hello\n")))

    with pytest.raises(ToolError, match="answers neither as kustomize nor as kubectl"):
        kustomize.find(repository)


def test_what_fails_is_told_without_the_scratch_folder(repository: Repository) -> None:
    find_tool("kubectl")
    files = {"a/kustomization.yaml": b"resources: [gone.yaml]\n"}

    with pytest.raises(ToolError) as caught:
        kustomize.find(repository).build(files, "a", repository)

    assert "gone.yaml" in str(caught.value)
    assert "/tmp" not in str(caught.value)


def test_files_above_mesh_yaml_are_built_in_place(repository: Repository) -> None:
    find_tool("kubectl")
    files = {
        "../../base/kustomization.yaml": b"resources: [s.yaml]\n",
        "../../base/s.yaml": b"apiVersion: v1\nkind: Service\nmetadata: {name: s}\n",
        "app/kustomization.yaml": b"resources: [../../../base]\nnamespace: shop\n",
    }

    built = kustomize.find(repository).build(files, "app", repository)

    assert identity_in(built.decode()) == Identity("", "Service", "shop", "s")


def test_documents_are_split_at_the_margin_only() -> None:
    first = (
        b'apiVersion: v1\ndata:\n  text: |\n    a\n    ---\n    kind: Fake\nkind: ConfigMap\nmetadata:\n  name: "1"\n'
        b"other: |+\n  these empty lines are a part of the text\n\n\n"
    )
    second = (
        b"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  labels:\n    name: wrong\n  name: d\n  name:x: wrong\n"
        b"  namespace: n\nmetadata:x:\n  name: wrong\n"
    )
    stream = first + b"---\n" + second
    homes = {Identity("", "ConfigMap", "", "1"): "one.yaml", Identity("apps", "Deployment", "n", "d"): "two.yaml"}

    files = split(stream, homes)

    assert list(files) == ["kustomization.yaml", "one.yaml", "two.yaml"]
    assert files["one.yaml"].endswith(first)
    assert files["two.yaml"].endswith(stream.rpartition(b"---\n")[2])

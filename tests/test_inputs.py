"""Inputs that no case folder can hold: above mesh.yaml's folder, pipes, files without permission."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from meshc.cli.main import app
from support.tools import find_tool

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

MESH = """
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: small}
spec:
  istio: {version: 1.29.6}
  security: {ca: {type: self-signed}}
  clusters:
    - name: hub
      role: primary
      kubernetesVersion: "1.34"
      podCIDRs: [10.10.0.0/16]
      controlPlane: {addresses: {istiod: 10.0.5.20}}
      resources: [EXTRA]
    - {name: edge-1, role: remote, kubernetesVersion: "1.34", podCIDRs: [10.11.0.0/16]}
  services:
    - {name: shop, manifests: APPS, clusters: [edge-1]}
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: catalog}\nspec: {ports: [{name: http, port: 80}]}\n"
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\n"


def write(folder: Path, files: dict[str, str]) -> None:
    (folder / ".git").mkdir()
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def run(folder: Path, *words: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    find_tool("kubectl")
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    return result.exit_code, result.stderr


def test_inputs_above_mesh_yaml_but_inside_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "meshes/prod/mesh.yaml": MESH.replace("APPS", "../../apps/prod").replace("EXTRA", "../../extra.yaml"),
        "apps/prod/kustomization.yaml": "namespace: shop\nresources: [../base]\n",
        "apps/base/kustomization.yaml": "resources: [service.yaml]\n",
        "apps/base/service.yaml": SERVICE,
        "extra.yaml": SETTINGS,
    }
    write(tmp_path, files)

    code, said = run(tmp_path, "compile", "-f", "meshes/prod/mesh.yaml", monkeypatch=monkeypatch)

    assert (code, said) == (0, "")
    output = tmp_path / "meshes/prod/output/hub"
    assert "name: catalog\n  namespace: shop\n" in (output / "services.yaml").read_text()
    assert "name: settings\n" in (output / "resources.yaml").read_text()


def test_what_permissions_keep_from_us_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the refusal is made here, for each file in turn."""
    paths = {"mesh.yaml": MESH.replace("APPS", "apps").replace("EXTRA", "extra.yaml")}
    paths |= {"apps/kustomization.yaml": "resources: [one.yaml]\n", "apps/one.yaml": SERVICE, "extra.yaml": SETTINGS}
    write(tmp_path, paths)
    really = os.open
    for locked in ("apps", "kustomization.yaml", "one.yaml", "extra.yaml"):

        def refuse(path: str, *words: int, locked: str = locked, **more: int) -> int:
            if str(path) == locked:
                raise PermissionError(errno.EACCES, "Permission denied")
            return really(path, *words, **more)

        monkeypatch.setattr(os, "open", refuse)
        code, said = run(tmp_path, "validate", monkeypatch=monkeypatch)
        monkeypatch.setattr(os, "open", really)

        assert (code, "error MESH610" in said, "Permission denied" in said) == (3, True, True), (locked, said)


def test_a_pipe_and_a_locked_file_are_named_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        tmp_path,
        {
            "mesh.yaml": MESH.replace("APPS", "pipe.yaml").replace("EXTRA", "locked.yaml"),
            "locked.yaml": SETTINGS,
        },
    )
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "locked.yaml").chmod(0)

    code, said = run(tmp_path, "validate", monkeypatch=monkeypatch)

    assert code == 3
    assert 'mesh.yaml:17:31: error MESH610: "pipe.yaml" is neither a file nor a folder' in said
    if os.geteuid() != 0:
        assert 'error MESH610: "locked.yaml" can\'t be read: ' in said

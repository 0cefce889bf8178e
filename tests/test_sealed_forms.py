"""What is placed can still be opened: real sops decrypts output/, MAC and all, with the key of the input."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pyrage
import pytest
import yaml
from typer.testing import CliRunner

from meshc.cli.main import app
from meshc.tree import HEADER
from support.sealing import CA_KEY, WHOLE_DATA, cacerts, remote_secret
from support.throwaway import make_root, pem
from support.tools import find_tool

pytestmark = pytest.mark.thorough

MESH = """
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: small}
spec:
  istio: {version: 1.29.6}
  clusters:
    - name: hub
      role: primary
      kubernetesVersion: "1.34"
      podCIDRs: [10.10.0.0/16]
      controlPlane: {addresses: {istiod: 10.0.5.20}}
    - {name: edge-1, role: remote, kubernetesVersion: "1.34", podCIDRs: [10.11.0.0/16]}
"""
SECRETS = {"cacerts": CA_KEY, "remote-secret-edge-1": WHOLE_DATA}


@pytest.fixture
def identity() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def plain(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """A repository with a mesh and its certificates, and the Secrets that are still to be sealed."""
    find_tool("kubectl")
    root = make_root()
    hub = root.issue("hub")
    (tmp_path / ".git").mkdir()
    (tmp_path / "mesh.yaml").write_text(MESH)
    (tmp_path / "certificates/hub").mkdir(parents=True)
    (tmp_path / "certificates/root-cert.pem").write_bytes(root.cert_pem)
    (tmp_path / "certificates/hub/ca-cert.pem").write_bytes(hub.cert_pem)
    (tmp_path / "certificates/hub/cert-chain.pem").write_bytes(pem(hub, root))
    return {
        "cacerts": cacerts(hub, root),
        "remote-secret-edge-1": remote_secret("edge-1", "https://edge-1.example:6443"),
    }


def seal_all(
    folder: Path,
    plain: dict[str, dict[str, Any]],
    identity: pyrage.x25519.Identity,
    *options: str,
    sort: bool,
) -> None:
    for name, secret in plain.items():
        recipient = ["--age", str(identity.to_public()), "--encrypted-regex", SECRETS[name]]
        text = yaml.safe_dump(secret, sort_keys=sort).encode()
        (folder / "sealed/hub").mkdir(parents=True, exist_ok=True)
        (folder / f"sealed/hub/{name}.yaml").write_bytes(sops("--encrypt", *recipient, *options, text=text))


def sops(*arguments: str, text: bytes, identity: pyrage.x25519.Identity | None = None) -> bytes:
    words = [
        "--config",
        "/dev/null",
        "--input-type",
        "yaml",
        "--output-type",
        "yaml",
        "--filename-override",
        "s.yaml",
    ]
    environment = {"SOPS_DISABLE_VERSION_CHECK": "1", "HOME": "/nonexistent"}
    if identity:
        environment["SOPS_AGE_KEY"] = str(identity)
    done = subprocess.run(
        [find_tool("sops"), *words, *arguments, "/dev/stdin"],
        input=text,
        capture_output=True,
        check=True,
        env=environment,
    )
    return done.stdout


def compiled(folder: Path) -> str:
    before = Path.cwd()
    os.chdir(folder)
    try:
        result = CliRunner().invoke(app, ["compile"], catch_exceptions=False)
    finally:
        os.chdir(before)

    assert result.exit_code == 0, result.stderr
    return result.stderr


@pytest.mark.parametrize("sort", [True, False], ids=["keys sorted", "keys as they came"])
def test_sops_opens_what_is_placed(
    tmp_path: Path, plain: dict[str, dict[str, Any]], identity: pyrage.x25519.Identity, sort: bool
) -> None:
    seal_all(tmp_path, plain, identity, "--mac-only-encrypted", sort=sort)

    warnings = compiled(tmp_path)

    assert "MESH414" not in warnings
    for tree in ("overlays", "output"):
        for name, secret in plain.items():
            placed = (tmp_path / tree / "hub" / f"{name}.yaml").read_bytes()
            opened = yaml.safe_load(sops("--decrypt", text=placed, identity=identity))

            assert placed.startswith(HEADER)
            assert opened["data"] == secret["data"]
            assert opened["metadata"]["name"] == secret["metadata"]["name"]


def test_a_patch_of_labels_leaves_the_mac_whole(
    tmp_path: Path, plain: dict[str, dict[str, Any]], identity: pyrage.x25519.Identity
) -> None:
    seal_all(tmp_path, plain, identity, "--mac-only-encrypted", sort=True)
    (tmp_path / "label.yaml").write_text("- {op: add, path: /metadata/labels, value: {team: shop}}\n")
    patch = "      patches: [{path: label.yaml, target: {kind: Secret, name: cacerts}}]\n"
    (tmp_path / "mesh.yaml").write_text(MESH.replace("      podCIDRs: [10.10", patch + "      podCIDRs: [10.10"))

    compiled(tmp_path)

    opened = yaml.safe_load(
        sops("--decrypt", text=(tmp_path / "output/hub/cacerts.yaml").read_bytes(), identity=identity)
    )
    assert opened["metadata"]["labels"] == {"team": "shop"}
    assert opened["data"] == plain["cacerts"]["data"]


def test_the_warning_about_a_mac_over_the_whole_file_is_true(
    tmp_path: Path, plain: dict[str, dict[str, Any]], identity: pyrage.x25519.Identity
) -> None:
    seal_all(tmp_path, plain, identity, sort=False)

    warnings = compiled(tmp_path)

    assert warnings.count("MESH414:") == 2
    for name, secret in plain.items():
        placed = (tmp_path / f"output/hub/{name}.yaml").read_bytes()
        with pytest.raises(subprocess.CalledProcessError) as refused:
            sops("--decrypt", text=placed, identity=identity)
        opened = yaml.safe_load(sops("--decrypt", "--ignore-mac", text=placed, identity=identity))

        assert b"MAC mismatch" in refused.value.stderr
        assert opened["data"] == secret["data"]

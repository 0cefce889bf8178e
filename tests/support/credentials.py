"""Makes a kubeconfig with a token that no output may show, and decrypts sealed credentials with real sops."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any

import yaml

from support.places import IDENTITY
from support.sealing import sops
from support.throwaway import make_root

CANARY = "eyJhbGciOiJub25lIn0.eyJjYW5hcnkiOnRydWV9.c2lnbmF0dXJl"


CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "edge-1",
    "clusters": [
        {
            "name": "edge-1",
            "cluster": {
                "server": "https://10.1.0.10:6443",
                "certificate-authority-data": base64.b64encode(make_root().cert_pem).decode(),
            },
        }
    ],
    "contexts": [{"name": "edge-1", "context": {"cluster": "edge-1", "user": "reader", "namespace": "x"}}],
    "users": [{"name": "reader", "user": {"token": CANARY}}],
}


def opened(file: Path, identity: object = IDENTITY) -> dict[str, Any]:
    """The kubeconfig in a sealed file, decrypted by real sops."""
    environment = {"SOPS_AGE_KEY": str(identity), "HOME": "/nonexistent", "SOPS_DISABLE_VERSION_CHECK": "1"}
    done = subprocess.run(
        [str(sops()), "--config", "/dev/null", "-d", str(file)], env=environment, capture_output=True, check=True
    )
    ((_, value),) = yaml.safe_load(done.stdout)["data"].items()
    loaded: dict[str, Any] = yaml.safe_load(base64.b64decode(value))
    return loaded


READER, CLASSIC = "istio-reader-service-account", "istio-multi"


TOKEN = f"{READER}-istio-remote-secret-token"

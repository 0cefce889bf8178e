"""Makes the certificates and sealed secrets of both samples anew: python tests/make_samples.py

With the commands that people use, for keys that nobody keeps: the recipient in mesh.yaml is written anew as well.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pyrage

from support.sealing import WHOLE_DATA, remote_secret, seal

ROOT = Path(__file__).parents[1]


def make(folder: Path, authorities: list[str], remotes: dict[str, str], primary: str, *, classic: bool) -> None:
    """One root, an intermediate for each of the clusters, credentials of the remotes in the primary."""
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    mesh = folder / "mesh.yaml"
    mesh.write_text(re.sub(r"recipients: \[age1\w+\]", f"recipients: [{recipient}]", mesh.read_text()))
    (folder / "certificates/root-cert.pem").unlink(missing_ok=True)
    key_type = ["--key-type", "rsa-2048"] if classic else []
    with tempfile.TemporaryDirectory() as keys:
        meshc(folder, "ca", "init", "--key-out", f"{keys}/root.key", *key_type)
        words = ["--root-key", f"{keys}/root.key", "--force", "--accept-recipients", "--days", "3600"]
        meshc(folder, "ca", "issue", *authorities, *words)
    for remote, server in remotes.items():
        sealed = seal(remote_secret(remote, server, classic=classic), WHOLE_DATA, recipient=recipient)
        (folder / f"sealed/{primary}/remote-secret-{remote}.yaml").write_bytes(sealed)
    meshc(folder, "compile")


def meshc(folder: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "meshc", *words], cwd=folder, check=True)


if __name__ == "__main__":
    servers = {"edge-1": "https://10.1.0.10:6443", "edge-2": "https://10.2.0.10:6443"}
    make(ROOT, ["hub", "edge-1"], servers, "hub", classic=False)
    make(ROOT / "examples/classic", ["main", "branch"], {"branch": "https://10.21.0.10:6443"}, "main", classic=True)

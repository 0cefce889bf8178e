"""Makes a Git repository with one mesh, and a folder outside of it for keys."""

from __future__ import annotations

import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from support.processes import said
from support.sealing import sops
from support.tools import find_tool

MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {{name: shop}}
spec:
  istio: {{version: {version}}}
  security:
    ca: {{type: plugged-in}}
    secrets: {secrets}
  clusters:
    - name: hub
      role: primary
      kubernetesVersion: "{kubernetes}"
      podCIDRs: [10.10.0.0/16]
      controlPlane: {{addresses: {{{address}: 10.0.5.20}}}}
    - {{name: edge-1, role: remote, kubernetesVersion: "{kubernetes}", podCIDRs: [10.11.0.0/16]}}
"""


IDENTITY = pyrage.x25519.Identity.generate()


RECIPIENT = str(IDENTITY.to_public())


LONG_AGO = 24 * 91
"""A number of hours after which every certificate of a workload has expired, even those from Citadel."""


SOPS = f"{{recipients: [{RECIPIENT}]}}"


class Place:
    """A Git repository with one mesh, and a folder outside of it for keys."""

    def __init__(self, folder: Path, secrets: str = SOPS, *, classic: bool = False) -> None:
        self.base, self.keys = folder / "repository", folder / "keys"
        self.base.mkdir()
        self.keys.mkdir()
        self.write(secrets, classic=classic)
        self.git("init", "-q", ".")

    def write(self, secrets: str, *, classic: bool = False) -> None:
        version, kubernetes, address = ("1.0.6", "1.13", "pilot") if classic else ("1.29.6", "1.34", "istiod")
        text = MESH.format(secrets=secrets, version=version, kubernetes=kubernetes, address=address)
        (self.base / "mesh.yaml").write_text(text)

    def git(self, *words: str, at: str = "") -> str:
        """The output of Git; `at` is the time of a commit."""
        name = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        env = {**os.environ, "GIT_COMMITTER_DATE": at} if at else None
        done = subprocess.run(
            ["git", *name, *words], cwd=self.base, env=env, check=True, capture_output=True, text=True
        )
        return done.stdout

    def commit(self, hours_ago: float = 0) -> None:
        """Commits everything, with a time this many hours ago."""
        self.git("add", "-A")
        self.git("commit", "-qm", "one", at=f"@{int(time.time() - hours_ago * 3600)} +0000")

    def meshc(self, *words: str, code: int = 0, stdin: str = "") -> str:
        """The output of meshc on both streams."""
        both = said(*words, cwd=self.base, code=code, stdin=stdin)
        self.shows_no_key(both)
        return both

    def shows_no_key(self, said: str) -> None:
        """Fails if the output or a file of the repository contains a line of a private key that a test made."""
        left = [path.read_bytes() for path in self.base.rglob("*") if path.is_file()]
        for file in self.keys.glob("*.key"):
            lines = [line for line in file.read_bytes().splitlines() if len(line) > 40 and b"-----" not in line]
            assert not any(line in data for line in lines for data in (*left, said.encode()))

    def root(self, name: str = "root", *words: str) -> Path:
        self.meshc("ca", "init", "--key-out", str(self.keys / f"{name}.key"), *words)
        return self.keys / f"{name}.key"

    def object(self, cluster: str, folder: str = "sealed") -> dict[str, object]:
        loaded: dict[str, object] = yaml.safe_load((self.base / folder / cluster / "cacerts.yaml").read_text())
        return loaded

    def opened(self, cluster: str) -> str:
        """The CA's key, decrypted by real sops from the file that Argo CD or Flux gets."""
        environment = {"SOPS_AGE_KEY": str(IDENTITY), "HOME": "/nonexistent", "SOPS_DISABLE_VERSION_CHECK": "1"}
        argv = [str(sops()), "--config", "/dev/null", "-d", "--extract", '["data"]["ca-key.pem"]']
        file = self.base / "output" / cluster / "cacerts.yaml"
        done = subprocess.run([*argv, str(file)], env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    def verify(self, cluster: str) -> None:
        """Verifies with openssl that the CA of a cluster is valid for anyone who trusts the roots that every cluster
        has."""
        certificates = self.base / "certificates"
        argv = [find_tool("openssl"), "verify", "-x509_strict", "-CAfile", str(certificates / "root-cert.pem")]
        argv += ["-untrusted", str(certificates / cluster / "cert-chain.pem")]
        subprocess.run([*argv, str(certificates / cluster / "ca-cert.pem")], check=True, capture_output=True)

    def files(self) -> dict[str, bytes]:
        found = (path for path in self.base.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {str(p.relative_to(self.base)): p.read_bytes() for p in found if ".meshc" not in p.parts}


def sealing_pair() -> tuple[rsa.RSAPrivateKey, bytes]:
    """The key of a SealedSecrets controller, and the certificate that kubeseal --fetch-cert prints.

    The certificate is like those of the controller's generatePrivateKeyAndCert: it has no name, and only the key usage
    encipherOnly, which cryptography can't write or read.
    """
    key = rsa.generate_private_key(65537, 2048)
    now, nobody = datetime.now(UTC), x509.Name([])
    builder = x509.CertificateBuilder(nobody, nobody, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=3650))
    usage = x509.UnrecognizedExtension(ExtensionOID.KEY_USAGE, bytes.fromhex("03020001"))
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return key, builder.sign(key, SHA256()).public_bytes(Encoding.PEM)

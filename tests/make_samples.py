"""Makes the certificates and sealed secrets of both samples anew: python tests/make_samples.py"""

from __future__ import annotations

from pathlib import Path

from sealing import CA_KEY, WHOLE_DATA, cacerts, remote_secret, seal
from throwaway import KeyType, make_root, pem

ROOT = Path(__file__).parent.parent


def make(folder: Path, authorities: list[str], remotes: dict[str, str], primary: str, *, classic: bool) -> None:
    """One root, an intermediate for each of the clusters, credentials of the remotes in the primary."""
    key: KeyType = "RSA-2048" if classic else "P-256"
    root = make_root("Throw-away Root CA", key=key)
    write(folder / "certificates/root-cert.pem", root.cert_pem)
    for cluster in authorities:
        authority = root.issue(cluster, key=key)
        write(folder / f"certificates/{cluster}/ca-cert.pem", authority.cert_pem)
        write(folder / f"certificates/{cluster}/cert-chain.pem", pem(authority, root))
        write(folder / f"sealed/{cluster}/cacerts.yaml", seal(cacerts(authority, root), CA_KEY))
    for remote, server in remotes.items():
        sealed = seal(remote_secret(remote, server, classic=classic), WHOLE_DATA)
        write(folder / f"sealed/{primary}/remote-secret-{remote}.yaml", sealed)


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


if __name__ == "__main__":
    servers = {"edge-1": "https://10.1.0.10:6443", "edge-2": "https://10.2.0.10:6443"}
    make(ROOT, ["hub", "edge-1"], servers, "hub", classic=False)
    make(ROOT / "examples/classic", ["main", "branch"], {"branch": "https://10.21.0.10:6443"}, "main", classic=True)

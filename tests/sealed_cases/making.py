"""How files of cases are made: sealed in each form, and changed by hand afterwards."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import yaml
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support.chance import seeded, source
from support.sealing import WHOLE_DATA, remote_secret, seal
from support.throwaway import Authority, pem

MAKERS: dict[str, Callable[[], Mapping[str, bytes]]] = {}


Object = dict[str, Any]


JWT = "eyJhbGciOiJub25lIn0.eyJmYWtlIjp0cnVlfQ."
"""What a bearer token looks like; it opens nothing."""


def case(make: Callable[[], Mapping[str, bytes]]) -> Callable[[], Mapping[str, bytes]]:
    """Registers the maker of a case's files by the case's name, with - for _."""
    MAKERS[make.__name__.replace("_", "-")] = make
    return make


def remote(cluster: str, **changes: Any) -> Object:
    """A remote secret in plain text, its metadata changed; None takes a field out."""
    made = remote_secret(cluster, f"https://{cluster}.example:6443")
    for key, value in changes.items():
        made["metadata"][key] = value
        if value is None:
            del made["metadata"][key]
    return made


def sops(plain: Object, encrypted: str = WHOLE_DATA, *options: str) -> bytes:
    return seal(plain, encrypted, *options)


def edited(sealed: bytes, change: Callable[[Object], object]) -> bytes:
    """A sealed file that somebody changed by hand."""
    body = yaml.safe_load(sealed)
    change(body)
    return dump(body)


def dump(*bodies: Object) -> bytes:
    return yaml.safe_dump_all(bodies, sort_keys=False, width=10_000).encode()


def sealed_value() -> str:
    """What kubeseal makes of a value, by its form: the length of a wrapped key, that key, AES-GCM text."""
    return base64.b64encode((512).to_bytes(2, "big") + source().randbytes(512 + 64)).decode()


def sealed_secret(plain: Object, public: Mapping[str, str] | None = None) -> Object:
    """A SealedSecret in place of a Secret; `public` stays readable in the template."""
    metadata, shown = plain["metadata"], dict(public or {})
    template: Object = {"metadata": dict(metadata), "type": "Opaque"} | ({"data": shown} if shown else {})
    return {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        "spec": {
            "encryptedData": {key: sealed_value() for key in plain["data"] if key not in shown},
            "template": template,
        },
    }


def external_secret(plain: Object, public: Mapping[str, str] | None = None) -> Object:
    """An ExternalSecret that fetches a Secret's values from a store."""
    metadata, shown = plain["metadata"], dict(public or {})
    kept = {key: metadata[key] for key in ("labels", "annotations") if key in metadata}
    template: Object = {"engineVersion": "v2", "mergePolicy": "Merge"}
    template |= ({"metadata": kept} if kept else {}) | ({"data": shown} if shown else {})
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        "spec": {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "mesh-vault"},
            "target": {
                "name": metadata["name"],
                "creationPolicy": "Owner",
                "deletionPolicy": "Retain",
                "template": template,
            },
            "data": [
                {"secretKey": key, "remoteRef": {"key": f"mesh/{metadata['name']}", "property": key}}
                for key in plain["data"]
                if key not in shown
            ],
        },
    }


def public(authority: Authority, root: Authority) -> dict[str, str]:
    """The parts of cacerts that anyone may read."""
    parts = {
        "ca-cert.pem": authority.cert_pem,
        "cert-chain.pem": pem(authority, root),
        "root-cert.pem": root.cert_pem,
    }
    return {key: data.decode() for key, data in parts.items()}


def certificates(root: Authority, **clusters: Authority) -> dict[str, bytes]:
    """The folder certificates/ of a mesh."""
    files = {"certificates/root-cert.pem": root.cert_pem}
    for name, authority in clusters.items():
        folder = f"certificates/{name.replace('_', '-')}"
        files |= {
            f"{folder}/ca-cert.pem": authority.cert_pem,
            f"{folder}/cert-chain.pem": pem(authority, root),
        }
    return files


def at_hub(**files: bytes) -> dict[str, bytes]:
    """Remote secrets in hub by remote, with _ for -."""
    return {f"sealed/hub/remote-secret-{name.replace('_', '-')}.yaml": data for name, data in files.items()}


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def public_key(authority: Authority) -> bytes:
    return authority.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def make(name: str) -> Mapping[str, bytes]:
    """The files of a case, by path."""
    with seeded(name):
        return MAKERS[name]()

"""Computes annotations from public facts of a sealed Secret. Sealing commands write these annotations, and compile and
check compute and compare them again, without a key.

All of them are public: digests, dates, a signature.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from meshc.trust.issue import one
from meshc.trust.rotation import roots_above

CA = "meshc/ca-sha256"
"""The fingerprint of ca-cert.pem: SHA-256 of its DER."""
KEY = "meshc/spki-sha256"
"""The digest of the CA's public key."""
ROOT = "meshc/root-sha256"
"""The fingerprint of the root that the CA chains to."""
NOT_AFTER = "meshc/not-after"
"""When the CA, or a remote secret's token, expires: RFC 3339 in UTC, or `none`. For a token it is only a reminder, no
proof."""
RECIPIENTS = "meshc/recipients-sha256"
"""The digest of the sorted age recipients that the Secret was sealed for."""
SEALING_CERTIFICATE = "meshc/sealing-cert-sha256"
"""The fingerprint of the controller's certificate that the Secret was sealed to."""
BLOB = "meshc/blob-sha256"
"""The digest of the ciphertext, key by key."""
ENVELOPE = "meshc/sops-sha256"
"""The digest of the sops block: the MAC, and the data key as it is wrapped for each recipient."""
BINDING = "meshc/binding"
"""The CA key's signature over cluster, ciphertext, CA and root (see `binding`)."""
SERVER = "meshc/server"
"""The API server in a remote secret's kubeconfig."""
SERVER_CA = "meshc/server-ca-sha256"
"""The digest of the kubeconfig's certificate-authority-data, decoded."""
SOURCE = "meshc/token-secret"
"""The Secret in the remote with the kubeconfig's token; none for a token from the TokenRequest API."""
REMOTES = "meshc/remotes"
"""SERVER, SERVER_CA, SOURCE and NOT_AFTER of each key of a Secret with many kubeconfigs: JSON, without `meshc/`."""
RE_ENCRYPTED = "meshc/re-encrypted"
"""The day on which the ciphertext of `kubeseal --re-encrypt` was accepted."""
ALL = (
    *(CA, KEY, ROOT, NOT_AFTER, RECIPIENTS, SEALING_CERTIFICATE, BLOB, ENVELOPE, BINDING, SERVER, SERVER_CA, SOURCE),
    *(REMOTES, RE_ENCRYPTED),
)


def of_ca(certificate: bytes, chain: bytes, bundle: bytes) -> dict[str, str]:
    """The annotations of a CA, from ca-cert.pem, cert-chain.pem and root-cert.pem.

    Without the root if the CA chains to no root of the bundle. Raises IssueError for a certificate that can't be read.
    """
    ca = one(certificate, "ca-cert.pem")
    found = {CA: ca.fingerprint, KEY: ca.key_digest, NOT_AFTER: ca.not_after.strftime("%Y-%m-%dT%H:%M:%SZ")}
    roots = roots_above(certificate, chain, bundle)
    return found | ({ROOT: one(roots[0], "root-cert.pem").fingerprint} if roots else {})


def of_blobs(blobs: Mapping[str, str]) -> str:
    """The digest of the ciphertexts of a Secret: their keys and texts, in the order of the keys."""
    digest = sha256()
    for key in sorted(blobs):
        digest.update(f"{len(key)} {key} {len(blobs[key])} {blobs[key]}\n".encode())
    return digest.hexdigest()


def of_certificate(certificate: bytes) -> str:
    """The fingerprint of a sealing certificate: SHA-256 of its file."""
    return sha256(certificate).hexdigest()


def for_each(facts: Mapping[str, Mapping[str, str]]) -> str:
    """The annotation REMOTES of facts by key."""
    short = {key: {name.removeprefix(_OURS): text for name, text in said.items()} for key, said in facts.items()}
    return json.dumps(short, sort_keys=True)


def of_each(annotation: object) -> dict[str, dict[str, str]]:
    """The facts by key in an annotation REMOTES; none if its text is invalid. Anyone can have written it."""
    try:
        found = json.loads(annotation) if isinstance(annotation, str) else {}
    except (ValueError, RecursionError):
        return {}
    said = found.items() if isinstance(found, dict) else ()
    return {
        key: {f"{_OURS}{name}": text for name, text in facts.items() if isinstance(text, str)}
        for key, facts in said
        if isinstance(facts, dict)
    }


_OURS = "meshc/"


def of_envelope(block: Mapping[str, Any]) -> str:
    """The digest of a sops block, whatever the order of its keys."""
    return sha256(json.dumps(block, sort_keys=True, default=str).encode()).hexdigest()


def of_recipients(recipients: Iterable[str]) -> str:
    """The digest of age recipients, whatever their order."""
    return sha256("\n".join(sorted(set(recipients))).encode()).hexdigest()

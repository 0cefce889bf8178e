"""Decrypts a SealedSecret with a private key, as the controller of Sealed Secrets does."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


def unseal(sealed: dict[str, Any], key: RSAPrivateKey) -> dict[str, Any]:
    """The Secret with its values as bytes. Raises ValueError if name, namespace or key aren't those that the value was
    sealed for."""
    label, template = _label(sealed["metadata"]), sealed["spec"]["template"]
    values = {name: unseal_value(text, key, label) for name, text in sealed["spec"]["encryptedData"].items()}
    public = {name: text.encode() for name, text in template.get("data", {}).items()}
    return {"metadata": template["metadata"], "type": template["type"], "data": {**values, **public}}


def unseal_value(text: str, key: RSAPrivateKey, label: bytes) -> bytes:
    raw = base64.b64decode(text, validate=True)
    end = 2 + int.from_bytes(raw[:2], "big")
    session = key.decrypt(raw[2:end], OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=label))
    return AESGCM(session).decrypt(bytes(12), raw[end:], None)


def _label(metadata: dict[str, Any]) -> bytes:
    switched = metadata.get("annotations", {})
    if switched.get("sealedsecrets.bitnami.com/cluster-wide") == "true":
        return b""
    if switched.get("sealedsecrets.bitnami.com/namespace-wide") == "true":
        return str(metadata["namespace"]).encode()
    return f"{metadata['namespace']}/{metadata['name']}".encode()

"""SealedSecrets: values encrypted to the certificate of one cluster's Sealed Secrets controller."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from meshc.hidden import Hidden
from meshc.kube import Body
from meshc.seal.contract import Plain, SealError, Target
from meshc.seal.form import check_plain, check_values, labels_and_annotations, metadata, template_data
from meshc.trust.certificates import for_keys

Scope = Literal["strict", "namespace-wide", "cluster-wide"]
"""What a seal is bound to: name and namespace, the namespace, nothing. meshc places no cluster-wide one."""


def seal(plain: Plain, target: Target, now: datetime) -> Body:
    """A SealedSecret whose template makes the whole Secret; public values stand in it as text.

    Raises SealError if the target has no certificate that seals: one of an RSA key that hasn't expired.
    """
    check_plain(plain)
    check_values(plain)
    public = template_data(plain)
    key = _sealing_key(target.certificate, now)
    scope = target.scope
    label = {"strict": f"{plain.namespace}/{plain.name}", "namespace-wide": plain.namespace, "cluster-wide": ""}[scope]
    return {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": plain.name, "namespace": plain.namespace, **_switch({}, scope)},
        "spec": {
            "encryptedData": {name: _sealed(value, key, label) for name, value in plain.hidden.items()},
            "template": {
                "metadata": {**metadata(plain), **_switch(labels_and_annotations(plain), scope)},
                "type": "Opaque",
                **({"data": public} if public else {}),
            },
        },
    }


def blobs(sealed: Body) -> Mapping[str, str]:
    """The ciphertext of each hidden key, as it stands in the object."""
    return dict(sealed["spec"]["encryptedData"])


def _switch(there: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """The annotations with the one by which the controller knows the scope: needed at the object and its template."""
    annotations = dict(there.get("annotations", {}))
    if scope != "strict":
        annotations[f"sealedsecrets.bitnami.com/{scope}"] = "true"
    return {"annotations": annotations} if annotations else {}


def _sealed(value: Hidden, key: RSAPublicKey, label: str) -> str:
    """A fresh session key, wrapped and preceded by its length, then the value under it.

    As HybridEncrypt of https://github.com/bitnami-labs/sealed-secrets/blob/main/pkg/crypto/crypto.go: a nonce of zeros
    is safe there, since each session key encrypts once.
    """
    session = Hidden(os.urandom(32))
    wrapped = key.encrypt(session.reveal(), OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=label.encode()))
    text = AESGCM(session.reveal()).encrypt(bytes(12), value.reveal(), None)
    return base64.b64encode(len(wrapped).to_bytes(2, "big") + wrapped + text).decode()


_SIZES = (2048, 3072, 4096, 8192)
"""RSA keys of other sizes aren't made by anyone, and `secrets` takes no seal of one."""


def _sealing_key(certificate: bytes, now: datetime) -> RSAPublicKey:
    if not certificate:
        raise SealError("there is no sealing certificate to seal for")
    found = for_keys(certificate)
    if not found:
        raise SealError("the sealing certificate isn't a PEM file of a certificate alone")
    if len(found) > 1:
        raise SealError(f"the sealing certificate's file holds {len(found)} certificates: which one seals?")
    try:
        key = found[0].public_key()
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey) or key.key_size not in _SIZES:
        raise SealError("the sealing certificate's key isn't RSA of 2048 bits or more, which the controller makes")
    if found[0].not_valid_after_utc < now:
        raise SealError(f"the sealing certificate has expired on {found[0].not_valid_after_utc:%Y-%m-%d}")
    return key

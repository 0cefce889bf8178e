"""A SealedSecret: values encrypted to the certificate of one cluster's Sealed Secrets controller.

Values are in encryptedData, certificates in the template.
"""

from __future__ import annotations

import base64
import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.hidden import Hidden
from meshc.kube import at
from meshc.sealedtext import is_sealed
from meshc.sealing.contract import SEALING_CERTIFICATE, SealError, Standing, Target
from meshc.sealing.sealed import (
    check_annotations,
    check_identity,
    check_keys,
    check_labels,
    check_public,
    check_template_text,
)
from meshc.sealing.unsealed import check_plain, check_values, labels_and_annotations, metadata, template_data

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from meshc.errors import Problem
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan, Sealing
    from meshc.plan.needs import SecretNeed
    from meshc.sealing.contract import Plain, Scope
    from meshc.yamltext.document import Document

_TEMPLATE = ("spec", "template")
KIND, OPERATOR, ADDS = "SealedSecret", "bitnami.com", True
PUBLIC: tuple[str, ...] = (*_TEMPLATE, "data")
_FIELDS = {"apiVersion", "kind", "metadata", "spec", "status"}


def check(need: SecretNeed, document: Document, public: Mapping[str, bytes]) -> Iterable[Problem]:
    """Checks form, identity and every value. A strict seal is bound to name and namespace."""
    data, clusters = document.data, (need.cluster,)
    yield from check_identity(need, document)
    yield from check_identity(need, document, _TEMPLATE)
    yield from check_labels(need, document, _TEMPLATE)
    yield from check_annotations(need, document)
    yield from check_annotations(need, document, _TEMPLATE)
    yield from check_template_text(need, document, _TEMPLATE, at(data, *_TEMPLATE))
    for field in sorted(data.keys() - _FIELDS):
        what = f'{need.kind}: "{field}" isn\'t a field of a SealedSecret'
        yield codes.SEALED_UNREADABLE.at(document.key_place((field,)), what, "remove it", clusters=clusters)
    if data.get("apiVersion") != "bitnami.com/v1alpha1":
        what = f"{need.kind}: a SealedSecret has apiVersion bitnami.com/v1alpha1"
        hint = "write apiVersion: bitnami.com/v1alpha1"
        yield codes.SEALED_UNREADABLE.at(document.place(("apiVersion",)), what, hint, clusters=clusters)
    sealed, plain = at(data, "spec", "encryptedData"), at(data, *_TEMPLATE, "data") or {}
    if not isinstance(sealed, dict) or not isinstance(plain, dict):
        what = f"{need.kind}: spec.encryptedData and, if it is there, template.data must be mappings"
        hint = f"seal it again with {', '.join(sorted((*need.keys, *need.public)))}"
        yield codes.SEALED_KEYS.at(document.place(("spec",)), what, hint, clusters=clusters)
        return
    there = {key: ("spec", "encryptedData", key) for key in sealed} | {key: (*_TEMPLATE, "data", key) for key in plain}
    yield from check_keys(need, document, ("spec", "encryptedData"), there)
    for key, value in sealed.items():
        if not is_sealed(value):
            what = f'{need.kind}: "{key}" isn\'t sealed'
            hint = "seal it with the controller's certificate, and replace the key or token: it is known now"
            yield codes.PLAINTEXT.at(document.place(("spec", "encryptedData", key)), what, hint, clusters=clusters)
    for key, value in plain.items():
        path = (*_TEMPLATE, "data", key)
        yield from check_public(need, document, path, value.encode() if isinstance(value, str) else b"", public)
    if at(data, *_TEMPLATE, "stringData"):
        what = f"{need.kind}: stringData in the template would become the value unchanged"
        yield codes.STRING_DATA.at(
            document.key_place((*_TEMPLATE, "stringData")), what, "seal it instead", clusters=clusters
        )


def blobs(body: Body) -> Mapping[str, str]:
    """Each sealed value."""
    return dict(body["spec"]["encryptedData"])


def recipients(body: Body) -> None:
    """Nobody: only the controller whose certificate was used can open it."""


def standing(need: SecretNeed, body: Body, certificate: bytes | None) -> Standing:
    """Stale, if it was sealed for another certificate than the controller's."""
    stale = certificate and not readers(body) <= {_controller(sha256(certificate).hexdigest())}
    return Standing("stale: sealing certificate" if stale else "sealed", (f"controller of {need.cluster}",))


def readers(body: Body) -> set[str]:
    """The fingerprint of the certificate, from meshc's annotation."""
    from meshc.trust.proofs import SEALING_CERTIFICATE as NOTED

    found = at(body, "metadata", "annotations", NOTED)
    return {_controller(found)} if isinstance(found, str) else set()


def wanted_readers(sealing: Sealing, certificate: bytes | None) -> set[str]:
    """The certificate of the cluster's controller."""
    return {_controller(sha256(certificate).hexdigest())} if certificate else set()


def _controller(digest: str) -> str:
    return f"the controller's certificate of SHA-256 {digest}"


def target(plan: Plan, cluster: ClusterPlan, secret: str, certificate: bytes | None) -> Target:
    """The certificate of the cluster's controller."""
    if not certificate:
        raise SealError(
            f"{cluster.name}: the certificate of its sealed-secrets controller is missing",
            f"kubeseal --fetch-cert > <ca.directory>/{cluster.name}/{SEALING_CERTIFICATE}",
        )
    return Target(certificate=certificate, scope=cluster.sealing.scope)


def seal(plain: Plain, target: Target, now: datetime) -> Body:
    """A SealedSecret whose template makes the whole Secret; public values are in it as text.

    Raises SealError if the target has no usable certificate: it needs an RSA key, and must not have expired.
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


def with_values_of(before: Body, keys: Collection[str], body: Body, target: Target) -> Body:
    """The object plus the ciphertexts of an earlier one. Raises SealError unless both are sealed to one certificate."""
    from meshc.trust.proofs import SEALING_CERTIFICATE as NOTED

    if at(before, "metadata", "annotations", NOTED) != sha256(target.certificate).hexdigest():
        raise SealError(
            f"it was sealed to another certificate of the controller, and contains {', '.join(sorted(keys))} as well",
            "seal all of them again: meshc capture credentials --all --replace",
        )
    there = at(before, "spec", "encryptedData") or {}
    values = {**body["spec"]["encryptedData"], **{key: there[key] for key in keys if key in there}}
    return {**body, "spec": {**body["spec"], "encryptedData": values}}


def noted(body: Body, target: Target) -> Mapping[str, str]:
    """The digest of the certificate that it was sealed for."""
    from meshc.trust.proofs import SEALING_CERTIFICATE as NOTED

    return {NOTED: sha256(target.certificate).hexdigest()}


def left_to_do(cluster: ClusterPlan, files: str) -> str:
    """Nothing: a SealedSecret is complete."""
    return ""


def _switch(there: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """Adds the annotation for the scope, which the controller needs on the object and on its template."""
    annotations = dict(there.get("annotations", {}))
    if scope != "strict":
        annotations[f"sealedsecrets.bitnami.com/{scope}"] = "true"
    return {"annotations": annotations} if annotations else {}


def _sealed(value: Hidden, key: RSAPublicKey, label: str) -> str:
    """A fresh session key, wrapped and preceded by its length, then the value under it.

    As HybridEncrypt of https://github.com/bitnami-labs/sealed-secrets/blob/main/pkg/crypto/crypto.go: a nonce of zeros
    is safe there, since each session key encrypts once.
    """
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256

    session = Hidden(os.urandom(32))
    wrapped = key.encrypt(session.reveal(), OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=label.encode()))
    text = AESGCM(session.reveal()).encrypt(bytes(12), value.reveal(), None)
    return base64.b64encode(len(wrapped).to_bytes(2, "big") + wrapped + text).decode()


_SIZES = (2048, 3072, 4096, 8192)
"""Accepts only these sizes: no tool makes RSA keys of other sizes."""


def _sealing_key(certificate: bytes, now: datetime) -> RSAPublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from meshc.trust.certificates import for_keys

    if not certificate:
        raise SealError("there is no sealing certificate to seal for")
    found = for_keys(certificate)
    if not found:
        raise SealError("the sealing certificate isn't a PEM file with only a certificate")
    if len(found) > 1:
        raise SealError(f"the sealing certificate's file has {len(found)} certificates, and must have one")
    try:
        key = found[0].public_key()
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey) or key.key_size not in _SIZES:
        raise SealError("the sealing certificate's key isn't RSA of 2048 bits or more, which the controller makes")
    if found[0].not_valid_after_utc < now:
        raise SealError(f"the sealing certificate has expired on {found[0].not_valid_after_utc:%Y-%m-%d}")
    return key

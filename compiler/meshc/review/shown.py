"""Replaces secret parts of an object, so that anyone may see it: fingerprints for certificates, a digest for sealed
data.

A comparison of two such objects shows whether a secret, its dates or its readers changed, and never a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

from meshc import codes
from meshc.kube import Body, at
from meshc.scanning.guard import plaintext_in
from meshc.scanning.plain_values import LAST_APPLIED, is_secret
from meshc.sealedtext import decoded, is_encrypted, is_sealed, recipients_in
from meshc.trust import certificates, proofs

HIDDEN = "(hidden)"
"""Replaces a value that isn't sealed and isn't known to be public."""
_FACTS = {
    *(proofs.SEALING_CERTIFICATE, proofs.SERVER, proofs.SERVER_CA, proofs.SOURCE, proofs.NOT_AFTER),
    proofs.RE_ENCRYPTED,
}
_TOLD_BY_OTHERS = {*proofs.ALL} - _FACTS
"""Annotations that change with a value, a certificate or a reader. They are left out, because that change is
reported."""
_LONG = 400
"""A number of characters. A longer line without spaces isn't text, so only its digest is shown."""


def shown(body: Body) -> dict[str, Any]:
    """The object without its secret parts, and without parts that only repeat others."""
    found: dict[str, Any] = {key: _public(value) for key, value in body.items() if key != "sops"}
    if body.get("kind") == "Secret":
        found = {key: value if key in _OPEN else HIDDEN for key, value in found.items()}
        found |= {field: _secret(body[field]) for field in ("data", "stringData") if field in body}
    if body.get("kind") == "SealedSecret" and isinstance(at(body, "spec", "encryptedData"), Mapping):
        found["spec"] = {**found["spec"], "encryptedData": _secret(body["spec"]["encryptedData"])}
    if isinstance(body.get("items"), tuple | list):
        found["items"] = tuple(shown(one) if isinstance(one, Mapping) else HIDDEN for one in body["items"])
    annotations = at(found, "metadata", "annotations")
    if isinstance(annotations, Mapping):
        repeated = _TOLD_BY_OTHERS | ({proofs.NOT_AFTER} if proofs.CA in annotations else set())
        kept = {key: value for key, value in annotations.items() if key not in repeated}
        hidden = {key for key in kept if key == LAST_APPLIED or (is_secret(body) and not _is_told(key))}
        found["metadata"] = {**found["metadata"], "annotations": {**kept, **dict.fromkeys(hidden, HIDDEN)}}
    if "sops" in body:
        found["readers"] = readers(body)
    return found


_OPEN = {"apiVersion", "kind", "metadata", "type", "immutable", "data", "stringData"}
_TOLD = ("meshc/", "argocd.argoproj.io/", "kustomize.toolkit.fluxcd.io/", "networking.istio.io/", "sealedsecrets.")
"""The prefixes of a Secret's annotations whose values aren't secret."""


def _is_told(key: object) -> bool:
    return isinstance(key, str) and key.startswith(_TOLD)


def readers(body: Body) -> tuple[str, ...]:
    """The recipients in a sops block."""
    return tuple(sorted(recipients_in(at(body, "sops"))))


def pem_of(body: Body, key: str) -> bytes | None:
    """A public part of a sealed Secret of any form, as PEM."""
    value = at(body, "data", key)
    if isinstance(value, str) and is_secret(body):
        pem = decoded(value)
    else:
        template = at(body, "spec", "template", "data", key) or at(body, "spec", "target", "template", "data", key)
        pem = template.encode() if isinstance(template, str) else b""
    return pem if certificates.only_certificates(pem) else None


def _secret(values: object) -> object:
    if not isinstance(values, Mapping):
        return HIDDEN
    return {key: _secret_value(value) for key, value in values.items()}


def _secret_value(value: object) -> object:
    if not isinstance(value, str):
        return HIDDEN
    if is_encrypted(value) or is_sealed(value):
        return _digest("sealed", value)
    return _certificates(decoded(value)) or HIDDEN


def _public(value: object) -> Any:
    if isinstance(value, Mapping):
        return {key: _public(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_public(inner) for inner in value)
    return _text(value) if isinstance(value, str) else value


@lru_cache(maxsize=1 << 12)  # both sides, and many clusters, have the same texts
def _text(value: str) -> object:
    if found := _certificates(value.encode()) or _certificates(decoded(value)):
        return found
    if any(True for _ in plaintext_in(value.encode(), "", codes.PLAINTEXT_SECRET)):
        return HIDDEN
    if len(value) > _LONG and not any(c.isspace() for c in value):
        return _digest(f"{len(value)} characters,", value)
    return value


def _certificates(pem: bytes) -> tuple[str, ...]:
    """One line for each certificate; empty if there is anything else."""
    if b"-----BEGIN CERTIFICATE" not in pem:
        return ()
    found, problems = certificates.read("", pem, lenient=True)
    if problems:
        return ()
    return tuple(f"{one.subject}, sha256 {one.fingerprint[:23]}..., until {one.not_after:%Y-%m-%d}" for one in found)


def _digest(what: str, value: str) -> str:
    return f"({what} sha256 {sha256(value.encode()).hexdigest()[:12]})"

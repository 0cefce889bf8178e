"""Copies the ciphertext that `kubeseal --re-encrypt` made into the existing sealed file.

Needs no key. Compares everything that is readable without a key, to make sure that both are the same Secret.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from meshc.errors import RefusedError
from meshc.kube import at
from meshc.sealedtext import is_sealed
from meshc.sealing import sealed_secrets
from meshc.sealing.contract import SealError
from meshc.trust import proofs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from meshc.issuing.work import Work
    from meshc.kube import Body
    from meshc.plan.needs import SecretNeed

_SCOPES = tuple(f"sealedsecrets.bitnami.com/{scope}" for scope in ("namespace-wide", "cluster-wide"))


def accept_re_encrypted(work: Work, need: SecretNeed, given: Body, before: Body, now: datetime) -> Body:
    """The existing SealedSecret with the ciphertexts of `given` for the same keys, and nothing else of `given`. The
    controller encrypts values that are readable in the template, drops the annotations of the object, and since 2026
    copies the object's labels over those of the template (Rotate in
    https://github.com/bitnami-labs/sealed-secrets/blob/main/pkg/controller/controller.go). The binding of a cacerts is
    dropped: only the CA's key could sign the new ciphertext.

    Raises SealError if `given` isn't the same Secret, and RefusedError if mesh.yaml requires a binding.
    """
    path = work.sealed(need.file)
    if given.get("kind") != "SealedSecret" or before.get("kind") != "SealedSecret":
        raise SealError(f"{path}: both the file and what replaces its ciphertext must be a SealedSecret")
    metadata, spec = before.get("metadata"), before.get("spec")
    noted = at(before, "metadata", "annotations") or {}
    old, new = _values(before, "encryptedData"), _values(given, "encryptedData")
    if not isinstance(metadata, dict) or not isinstance(spec, dict) or not isinstance(noted, dict) or not old:
        raise SealError(f"{path}: the existing file isn't a complete SealedSecret")
    _stop_on_another(path, _identity(given), _identity(before))
    readable = _values(before, "template", "data")
    if not {*old} <= {*new} <= {*old, *readable}:
        raise SealError(f"{path}: the new one has the keys {_listed(new)}, the existing file {_listed(old)}")
    if wrong := sorted(key for key in new if not is_sealed(new[key])):
        raise SealError(f'{path}: "{wrong[0]}" of the new one isn\'t sealed')
    if new.items() >= old.items():
        return before
    noted = {**noted}
    if noted.pop(proofs.BINDING, None) and need.binding == "required":
        raise RefusedError(
            f"{path}: requireBinding requires a signature by the CA's key, and the new ciphertext has none",
            f"meshc ca issue --force {need.cluster} makes a new CA, sealed to the controller's certificate",
        )
    made = {**before, "spec": {**spec, "encryptedData": {key: new[key] for key in old}}}
    noted |= {proofs.BLOB: proofs.of_blobs(sealed_secrets.blobs(made)), proofs.RE_ENCRYPTED: f"{now:%Y-%m-%d}"}
    if certificate := work.sealing_certificate(work.plan.cluster(need.cluster)):
        noted[proofs.SEALING_CERTIFICATE] = sha256(certificate).hexdigest()
    return {**made, "metadata": {**metadata, "annotations": noted}}


def _stop_on_another(path: str, new: Mapping[str, Any], old: Mapping[str, Any]) -> None:
    for key in old:
        if new[key] != old[key]:
            raise SealError(
                f"{path}: the new one is another Secret: {key} is {new[key]!r}, in the existing file {old[key]!r}",
                f"kubeseal --re-encrypt < {path} makes one of the same Secret",
            )


def _identity(body: Body) -> dict[str, Any]:
    """The fields that decide whether the controller can decrypt, and which Secret it then makes."""
    scopes = {key: at(body, "metadata", "annotations", key) for key in _SCOPES}
    named = {key: at(body, "metadata", key) for key in ("name", "namespace")}
    return {**named, **scopes, "type": at(body, "spec", "template", "type") or "Opaque"}


def _values(body: Body, *path: str) -> dict[str, Any]:
    found = at(body, "spec", *path)
    return found if isinstance(found, dict) else {}


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(sorted(values)) or "none"

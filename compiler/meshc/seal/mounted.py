"""Seals the one Secret of a primary that holds the kubeconfigs of many clusters, and keeps those that stay in it.

A store's reference and a SealedSecret's values stand each for itself. The values of a sops file are under one key and
one MAC: what stays in it has to be opened, or handed over again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from meshc.errors import UsageError
from meshc.hidden import Hidden
from meshc.kube import at, keys_in
from meshc.plan.unknown import some
from meshc.seal import sops
from meshc.seal.contract import Plain, SealError
from meshc.seal.file import sealed_file, target_of
from meshc.seal.given import kubeconfig_for
from meshc.seal.rewrapping import sealed_body
from meshc.trust import proofs

if TYPE_CHECKING:
    from datetime import datetime

    from meshc.kube import Body
    from meshc.plan.needs import SecretNeed
    from meshc.seal.contract import Target
    from meshc.seal.given import Given
    from meshc.seal.work import Work

_LARGEST = 1 << 20
"""Bytes of a Secret that an API server takes (MaxSecretSize)."""
_KINDS = {"sops": "Secret", "sealed-secrets": "SealedSecret", "external-secrets": "ExternalSecret"}


@dataclass(slots=True)
class Gathered:
    """What is to go into one Secret: credentials by cluster, each with its facts."""

    need: SecretNeed
    handed: dict[str, Given] = field(default_factory=dict)
    facts: dict[str, Mapping[str, str]] = field(default_factory=dict)


def kept(work: Work, need: SecretNeed, handed: Mapping[str, Any]) -> dict[str, str]:
    """The clusters whose credentials stay in the sealed file, each with its key."""
    there = keys_in(sealed_body(work.read(work.sealed(need.file))) or {})
    return {name: key for name, key in need.of.items() if key in there and name not in handed}


def is_closed(work: Work, need: SecretNeed, identities: tuple[Hidden, ...]) -> bool:
    """Whether the file has to be made of all credentials again: nobody adds to a sops file without opening it."""
    return need.grows and work.plan.cluster(need.cluster).sealing.backend == "sops" and not identities


def stop_on_closed(work: Work, need: SecretNeed, handed: Mapping[str, Any], identities: tuple[Hidden, ...]) -> None:
    """Raises UsageError where credentials stay in the file, and nothing brings them into the new one."""
    staying = kept(work, need, handed)
    if not staying:
        return
    path = work.sealed(need.file)
    backend = work.plan.cluster(need.cluster).sealing.backend
    body = sealed_body(work.read(path)) or {}
    shown = some(list(staying))
    if body.get("kind") != _KINDS[backend]:
        raise UsageError(
            f"{path} holds the credentials of {shown} in another form than {backend}",
            f"name them too: {' '.join(staying)}",
        )
    if is_closed(work, need, identities):
        raise UsageError(
            f"{path} holds the credentials of {shown} as well, and nobody adds to a sops file without opening it",
            "--identity FILE, an age identity that opens it; or meshc capture credentials --all --replace",
        )


def sealed_mounted(
    work: Work, gathered: Gathered, identities: tuple[Hidden, ...], now: datetime
) -> tuple[bytes, dict[str, Hidden], Target]:
    """The sealed file, what is new in it, and for whom. Raises SealError, UsageError."""
    need, path = gathered.need, work.sealed(gathered.need.file)
    where = work.plan.cluster(need.cluster)
    certificate = work.sealing_certificate(where)
    target = target_of(work.plan, where, need.name, certificate)
    new = {need.of[name]: kubeconfig_for(work.plan, one, need, name) for name, one in gathered.handed.items()}
    stop_on_closed(work, need, gathered.handed, identities)
    body = sealed_body(work.read(path)) or {}
    staying = kept(work, need, gathered.handed)
    values = dict(new)
    ciphertexts: dict[str, str] = {}
    if staying and where.sealing.backend == "sops":
        opened = sops.open_(body, identities, need.recipients)
        values |= {key: opened[key] for key in staying.values()}
    elif staying and where.sealing.backend == "sealed-secrets":
        ciphertexts = _same_seal(path, body, staying, certificate)
    elif staying:
        values |= dict.fromkeys(staying.values(), Hidden(b""))  # a reference needs no value
    if (
        sum(len(one.reveal()) for one in values.values()) + sum(len(one) * 3 // 4 for one in ciphertexts.values())
        > _LARGEST
    ):
        raise SealError(
            f"{path}: {len(values) + len(ciphertexts)} kubeconfigs are more than the 1 MiB that a Secret holds",
            "write remoteSecrets: separate for this primary",
        )
    before = proofs.of_each(at(body, "metadata", "annotations", proofs.REMOTES))
    facts: dict[str, Mapping[str, str]] = {key: before.get(key, {}) for key in staying.values()}
    facts |= {need.of[name]: found for name, found in gathered.facts.items()}
    plain = Plain(need.namespace, need.name, values, labels=need.labels, annotations=need.annotations)
    said = {proofs.REMOTES: proofs.for_each(facts)}
    sealed = sealed_file(plain, where.sealing.backend, target, now, lambda _: said, ciphertexts)
    return sealed, new, target


def _same_seal(path: str, body: Body, staying: Mapping[str, str], certificate: bytes | None) -> dict[str, str]:
    """The ciphertexts that stay, if the controller's certificate is the one that they were sealed to."""
    noted = at(body, "metadata", "annotations", proofs.SEALING_CERTIFICATE)
    if noted != proofs.of_certificate(certificate or b""):
        raise SealError(
            f"{path} was sealed to another certificate of the controller, and holds {', '.join(staying)} as well",
            "seal all of them again: meshc capture credentials --all --replace",
        )
    values = at(body, "spec", "encryptedData") or {}
    return {key: values[key] for key in staying.values()}

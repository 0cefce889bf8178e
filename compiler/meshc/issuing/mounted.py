"""Seals the one Secret of a primary with the kubeconfigs of many clusters, and keeps the other kubeconfigs in it.

References to a store and values of a SealedSecret are independent of each other. But all values of a sops file have one
data key and one MAC: to keep some of them, meshc must decrypt the file, or get all of them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from meshc.errors import UsageError
from meshc.hidden import Hidden
from meshc.issuing.given import kubeconfig_for
from meshc.issuing.rewrapping import sealed_body
from meshc.kube import at, keys_in
from meshc.plan.unknown import some
from meshc.sealing import sops_file
from meshc.sealing.contract import Plain, SealError
from meshc.sealing.file import backend_of, sealed_file, target_of
from meshc.trust import proofs

if TYPE_CHECKING:
    from datetime import datetime

    from meshc.issuing.given import Given
    from meshc.issuing.work import Work
    from meshc.kube import Body
    from meshc.plan.needs import SecretNeed
    from meshc.sealing.contract import Target

_LARGEST = 1 << 20
"""The largest Secret that API servers accept, in bytes (MaxSecretSize)."""


@dataclass(slots=True)
class Gathered:
    """The new content of one Secret: credentials by cluster, each with its annotations."""

    need: SecretNeed
    handed: dict[str, Given] = field(default_factory=dict)
    facts: dict[str, Mapping[str, str]] = field(default_factory=dict)


def kept(work: Work, need: SecretNeed, handed: Mapping[str, Any]) -> dict[str, str]:
    """The clusters whose credentials are kept in the sealed file, each with its key."""
    there = keys_in(sealed_body(work.read(work.sealed(need.file))) or {})
    return {name: key for name, key in need.of.items() if key in there and name not in handed}


def is_closed(work: Work, need: SecretNeed, identities: tuple[Hidden, ...]) -> bool:
    """True if the file must be made again from all credentials: it isn't possible to add to a sops file without
    decrypting it."""
    return need.grows and not backend_of(work.plan.cluster(need.cluster)).ADDS and not identities


def stop_on_closed(work: Work, need: SecretNeed, handed: Mapping[str, Any], identities: tuple[Hidden, ...]) -> None:
    """Raises UsageError if the file has other credentials that can't be kept in the new file."""
    staying = kept(work, need, handed)
    if not staying:
        return
    path = work.sealed(need.file)
    where = work.plan.cluster(need.cluster)
    body = sealed_body(work.read(path)) or {}
    shown = some(list(staying))
    if body.get("kind") != backend_of(where).KIND:
        raise UsageError(
            f"{path} holds the credentials of {shown} in another form than {where.sealing.backend}",
            f"name them too: {' '.join(staying)}",
        )
    if is_closed(work, need, identities):
        raise UsageError(
            f"{path} holds the credentials of {shown} as well, and a sops file must be decrypted to add to it",
            "--identity FILE, an age identity that opens it; or meshc capture credentials --all --replace",
        )


def sealed_mounted(
    work: Work, gathered: Gathered, identities: tuple[Hidden, ...], now: datetime
) -> tuple[bytes, dict[str, Hidden], Target]:
    """The sealed file, what is new in it, and for whom. Raises SealError, UsageError."""
    need, path = gathered.need, work.sealed(gathered.need.file)
    where = work.plan.cluster(need.cluster)
    backend, target = backend_of(where), target_of(work.plan, where, need.name, work.sealing_certificate(where))
    new = {need.of[name]: kubeconfig_for(work.plan, one, need, name) for name, one in gathered.handed.items()}
    stop_on_closed(work, need, gathered.handed, identities)
    before = sealed_body(work.read(path)) or {}
    staying = kept(work, need, gathered.handed).values()
    values = dict(new)
    if staying and not backend.ADDS:
        opened = sops_file.open_(before, identities, need.recipients)
        values |= {key: opened[key] for key in staying}
    said = proofs.of_each(at(before, "metadata", "annotations", proofs.REMOTES))
    facts: dict[str, Mapping[str, str]] = {key: said.get(key, {}) for key in staying}
    facts |= {need.of[name]: found for name, found in gathered.facts.items()}
    plain = Plain(need.namespace, need.name, values, labels=need.labels, annotations=need.annotations)

    def more(body: Body) -> Body:
        return backend.with_values_of(before, staying, body, target) if staying and backend.ADDS else body

    sealed = sealed_file(plain, backend, target, now, lambda _: {proofs.REMOTES: proofs.for_each(facts)}, more)
    closed = backend.blobs(before) if staying and backend.ADDS else {}
    size = sum(len(one.reveal()) for one in values.values()) + sum(len(closed.get(key, "")) * 3 // 4 for key in staying)
    if size > _LARGEST:
        raise SealError(
            f"{path}: {len(facts)} kubeconfigs are larger than the 1 MiB limit of a Secret",
            "write remoteSecrets: separate for this primary",
        )
    return sealed, new, target

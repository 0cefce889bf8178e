"""Seals the credentials of a cluster as a remote secret for each primary that needs them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from meshc.errors import UsageError
from meshc.issuing import recipients
from meshc.issuing.ending import noted_end, stop_on_ended
from meshc.issuing.given import Given, needs_for, remote_plain
from meshc.sealing.file import backend_of, sealed_file, target_of
from meshc.trust import proofs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.hidden import Hidden
    from meshc.issuing.work import Work
    from meshc.plan.ir import ClusterPlan
    from meshc.plan.needs import SecretNeed


@dataclass(frozen=True, slots=True)
class Owed:
    """What a store has to hold, as the file that refers to it doesn't."""

    key: str
    field: str
    value: Hidden

    def __str__(self) -> str:
        return f"put the kubeconfig into the store at {self.key}, property {self.field}; it isn't in the file"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The primaries that credentials were sealed for, what their stores are owed, and a warning of a near end."""

    places: list[ClusterPlan]
    owed: list[Owed]
    warning: str


@dataclass(frozen=True, slots=True)
class Order:
    """The primaries to seal for (None: every one that lacks the credentials), and the options of the person.

    `replace` seals again what is sealed, `accepted` allows recipients that are new to the mesh.
    """

    now: datetime
    primary: str | None = None
    replace: bool = False
    accepted: bool = False


def seal_remote(work: Work, every: Sequence[SecretNeed], handed: Given, remote: str, order: Order) -> Outcome:
    """Seals credentials for every primary, or for one; `work` holds the files.

    `every` are the needs of the mesh. Raises RefusedError for a new reader, UsageError for what is sealed already,
    SealError for credentials that have ended.
    """
    assert handed.credentials is not None, "what is no cacerts are credentials"  # noqa: S101
    warning = stop_on_ended(remote, handed.credentials, order.now)
    needs = needs_for(every, remote, order.primary)
    if order.primary is None and not order.replace:  # a primary that came later lacks what others have
        needs = [need for need in needs if work.read(work.sealed(need.file)) is None] or needs
    places = [work.plan.cluster(need.cluster) for need in needs]
    recipients.stop_on_new(work, every, places, order.accepted)
    owed: list[Owed] = []
    for need in needs:
        stop_on_sealed(work, need, order.replace)
        owed += _sealed(work, need, handed, order.now)
    return Outcome(places, owed, warning)


def _sealed(work: Work, need: SecretNeed, handed: Given, now: datetime) -> list[Owed]:
    """Seals one file, and returns what has to go into the store of its primary."""
    where = work.plan.cluster(need.cluster)
    target = target_of(work.plan, where, need.name, work.sealing_certificate(where))
    plain = remote_plain(work.plan, handed, need)
    facts, end = _facts(handed)
    sealed = sealed_file(plain, backend_of(where), target, now, lambda blobs: facts | (end if blobs else {}))
    work.write(work.sealed(need.file), sealed)
    if target.store is None or not where.sealing.in_store:
        return []
    return [Owed(target.store.key, key, value) for key, value in plain.hidden.items()]


def _facts(handed: Given) -> tuple[dict[str, str], dict[str, str]]:
    """The annotations beside the sealed value: its API server, and when it expires, if the value says so."""
    assert handed.credentials is not None, "what is no cacerts are credentials"  # noqa: S101
    ca = sha256(handed.credentials.ca).hexdigest()
    facts = {proofs.SERVER: handed.credentials.server, proofs.SERVER_CA: ca}
    noted = noted_end(handed.credentials.token)
    return facts | ({proofs.SOURCE: handed.source} if handed.source else {}), {proofs.NOT_AFTER: noted} if noted else {}


def stop_on_sealed(work: Work, need: SecretNeed, replace: bool) -> None:
    """Raises UsageError if there is a sealed file for the need already, and it isn't to be replaced."""
    path = work.sealed(need.file)
    if work.read(path) is not None and not replace:
        raise UsageError(f"{path} is sealed already, and no key tells whether it holds the same", "--replace")

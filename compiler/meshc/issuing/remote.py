"""Seals the credentials of a cluster as a remote secret for each primary that needs them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from meshc.errors import UsageError
from meshc.issuing import recipients
from meshc.issuing.ending import noted_end, stop_on_ended
from meshc.issuing.given import Given, kubeconfig_for, needs_for, remote_plain
from meshc.issuing.mounted import Gathered, sealed_mounted
from meshc.issuing.rewrapping import sealed_body
from meshc.kube import keys_in
from meshc.sealing.file import backend_of, sealed_file, target_of
from meshc.trust import proofs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshc.hidden import Hidden
    from meshc.issuing.work import Work
    from meshc.plan.ir import ClusterPlan
    from meshc.plan.needs import SecretNeed
    from meshc.sealing.contract import Target


@dataclass(frozen=True, slots=True)
class Owed:
    """A value that you must put into a store, because the file only refers to the store."""

    key: str
    field: str
    value: Hidden

    def __str__(self) -> str:
        return f"put the kubeconfig into the store at {self.key}, property {self.field}; it isn't in the file"


@dataclass(frozen=True, slots=True)
class Order:
    """The primaries to seal for (None: every primary without the credentials), and the options.

    `replace` replaces sealed files, `accepted` allows recipients that are new to the mesh. `identities` decrypt sops
    files, to keep their other credentials; a file that no identity opens is made `anew`.
    """

    now: datetime
    primary: str | None = None
    replace: bool = False
    accepted: bool = False
    identities: tuple[Hidden, ...] = ()
    anew: frozenset[str] = frozenset()


@dataclass(slots=True)
class Sealing:
    """Credentials of some clusters that are being sealed: for each cluster, all files are written or none.

    `places` are the primaries of the new files, `owed` are values for their stores, `warnings` are about credentials
    that expire soon.
    """

    work: Work
    every: Sequence[SecretNeed]
    order: Order
    places: list[ClusterPlan] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _mounted: dict[str, Gathered] = field(default_factory=dict)

    def take(self, handed: Given, remote: str) -> None:
        """Seals credentials with their own file, and collects those for a common file.

        Raises RefusedError for a new recipient, UsageError for a file that is sealed already, and SealError for expired
        credentials.
        """
        assert handed.credentials is not None, "what is no cacerts are credentials"  # noqa: S101
        work, order = self.work, self.order
        warning = stop_on_ended(remote, handed.credentials, order.now)
        needs = lacking(work, self.every, remote, order)
        places = [work.plan.cluster(need.cluster) for need in needs]
        recipients.stop_on_new(work, self.every, places, order.accepted)
        files: dict[str, bytes] = {}
        owed: list[Owed] = []
        for need in needs:
            stop_on_sealed(work, need, remote, order.replace or need.file in order.anew)
            if need.grows:
                kubeconfig_for(work.plan, handed, need, remote)
            else:
                files[work.sealed(need.file)] = self._separate(need, handed, owed)
        for path, data in files.items():
            work.write(path, data)
        for need in needs:
            if need.grows:
                gathered = self._mounted.setdefault(need.file, Gathered(need))
                gathered.handed[remote] = handed
                facts, end = _facts(handed)
                gathered.facts[remote] = facts | (end if not work.plan.cluster(need.cluster).sealing.in_store else {})
        self.places += places
        self.owed += owed
        self.warnings += [warning] if warning else []

    def finish(self) -> None:
        """Seals the collected credentials. Raises SealError, and UsageError if a key is needed."""
        for gathered in self._mounted.values():
            data, new, target = sealed_mounted(self.work, gathered, self.order.identities, self.order.now)
            self.work.write(self.work.sealed(gathered.need.file), data)
            self.owed += self._owed(gathered.need, target, new)

    def _separate(self, need: SecretNeed, handed: Given, owed: list[Owed]) -> bytes:
        """Makes one sealed file, and adds the value for its primary's store to `owed`."""
        where = self.work.plan.cluster(need.cluster)
        target = target_of(self.work.plan, where, need.name, self.work.sealing_certificate(where))
        plain = remote_plain(self.work.plan, handed, need)
        facts, end = _facts(handed)
        backend, now = backend_of(where), self.order.now
        sealed = sealed_file(plain, backend, target, now, lambda blobs: facts | (end if blobs else {}))
        owed += self._owed(need, target, plain.hidden)
        return sealed

    def _owed(self, need: SecretNeed, target: Target, hidden: Mapping[str, Hidden]) -> list[Owed]:
        if target.store is None or not self.work.plan.cluster(need.cluster).sealing.in_store:
            return []
        return [Owed(target.store.key, key, value) for key, value in hidden.items()]


def lacking(work: Work, every: Sequence[SecretNeed], remote: str, order: Order) -> list[SecretNeed]:
    """The needs to seal a remote's credentials for: by default the primaries without them, for example new ones."""
    needs = needs_for(every, remote, order.primary)
    if order.primary is not None or order.replace:
        return needs
    return [need for need in needs if need.file in order.anew or not holds(work, need, remote)] or needs


def holds(work: Work, need: SecretNeed, remote: str) -> bool:
    """Whether the sealed file of a need has the credentials of a remote."""
    data = work.read(work.sealed(need.file))
    if data is None or not need.grows:
        return data is not None
    return need.of[remote] in keys_in(sealed_body(data) or {})


def _facts(handed: Given) -> tuple[dict[str, str], dict[str, str]]:
    """The annotations beside the sealed value: its API server, and when it expires, if the value says so."""
    assert handed.credentials is not None, "what is no cacerts are credentials"  # noqa: S101
    ca = sha256(handed.credentials.ca).hexdigest()
    facts = {proofs.SERVER: handed.credentials.server, proofs.SERVER_CA: ca}
    noted = noted_end(handed.credentials.token)
    return facts | ({proofs.SOURCE: handed.source} if handed.source else {}), {proofs.NOT_AFTER: noted} if noted else {}


def stop_on_sealed(work: Work, need: SecretNeed, remote: str, replace: bool) -> None:
    """Raises UsageError if a file holds the credentials already, and they aren't to be replaced."""
    if holds(work, need, remote) and not replace:
        path = work.sealed(need.file)
        of = f" for {remote}" if need.grows else ""
        raise UsageError(
            f"{path} is sealed already{of}, and meshc can't tell without a key whether the content is the same",
            "--replace",
        )

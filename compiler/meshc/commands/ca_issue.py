"""Issues the CAs that are due, and imports CAs that were made elsewhere: verifies, writes and seals them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from meshc.commands import root_waits
from meshc.commands.user_inputs import KeyFile, password_in, read_given
from meshc.disk.private import write_key
from meshc.errors import UsageError
from meshc.hidden import Hidden
from meshc.issuing import authorities, intermediates, recipients
from meshc.issuing.cacerts import CA, CHAIN, KEY, ROOTS, Authority
from meshc.issuing.verified import lasting, parts_of, stop_on_faults
from meshc.lowering import needs_of
from meshc.plain import count
from meshc.sealing.file import target_of
from meshc.trust.issue import chain_of, one
from meshc.trust.keys import plain_key
from meshc.trust.rotation import roots_above

if TYPE_CHECKING:
    from meshc.issuing.work import Work
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.trust.keys import KeyType


@dataclass(frozen=True, slots=True)
class Issuing:
    """How CAs are issued: a CA is due `before` days before its expiry, and `force` issues others too.

    Keys for a secret store are written to the folder `keys_to`. `accepted` says that new recipients may decrypt the
    files, and `restarted` that all workloads were restarted since the last step.
    """

    root_key: KeyFile | None
    key_type: KeyType | None
    days: int
    before: int = 0
    force: bool = False
    keys_to: Path | None = None
    accepted: bool = False
    restarted: bool = False

    def order(self, plan: Plan) -> intermediates.Order:
        """A copy with the current time, and the kind of key that the mesh's Istio can use."""
        default: KeyType = "ecdsa-p256" if plan.generation.signs_with_ecdsa else "rsa-2048"
        return intermediates.Order(datetime.now(UTC), self.days, self.before, self.key_type or default, self.force)


@dataclass(frozen=True, slots=True)
class Issued:
    """The outcome for each cluster, the files that changed, and the keys that a person has to put into a store.

    `left` are warnings about recipients that only sops can add to the sealed files.
    """

    outcomes: tuple[intermediates.Outcome, ...]
    changed: tuple[str, ...]
    handed: Mapping[Path, intermediates.Outcome]
    left: tuple[str, ...] = ()


def issued(work: Work, mesh: str, names: Sequence[str], how: Issuing) -> Issued:
    """Issues due CAs, for the named clusters or for all.

    `mesh` is the name of mesh.yaml. Writes all files, or none. Raises MeshcError: UsageError if the root's key is
    needed and missing, RefusedError if proxies may lack the root.
    """
    clusters = intermediates.signing(work.plan, names)
    order = how.order(work.plan)
    for cluster in clusters if not how.force else ():  # with force, a CA that can't be read is replaced
        authorities.stop_on_unreadable(work, cluster.name)
    recipients.stop_on_new(work, needs_of(work.plan), clusters, how.accepted)
    outcomes = _made(work, clusters, how, order)
    if not how.restarted:
        root_waits.stop_on_early_issue(work, mesh, [cluster.name for cluster in clusters], order.now)
    recipients.update_rules(work, clusters)
    return committed(work, outcomes, how.keys_to)


def _made(
    work: Work, clusters: Sequence[ClusterPlan], how: Issuing, order: intermediates.Order
) -> list[intermediates.Outcome]:
    """Issues the due CAs and keeps the others. Reads the root's key only if a CA is due."""
    reasons = intermediates.due_in(work, clusters, order)
    if not any(reasons.values()):
        return [intermediates.left_alone(work, cluster) for cluster in clusters]
    if how.root_key is None:
        name, why = next((name, why) for name, why in reasons.items() if why)
        due = count(sum(map(bool, reasons.values())), "CA")
        what = f"the root's private key is needed to issue {due}, such as that of {name} ({why})"
        raise UsageError(what, "--root-key FILE, or - for standard input")
    issuer = intermediates.issuer_with(work, how.root_key.read())
    return [
        intermediates.issue(work, cluster, issuer, order, reason) if reason else intermediates.left_alone(work, cluster)
        for cluster in clusters
        for reason in [reasons[cluster.name]]
    ]


def committed(work: Work, outcomes: Sequence[intermediates.Outcome], keys_to: Path | None) -> Issued:
    """Writes all files, keys first, because a certificate without its key is useless."""
    handed = {_key_file(keys_to, outcome): outcome for outcome in outcomes if outcome.key}
    made: list[Path] = []
    try:
        for path, outcome in handed.items():
            if outcome.key:
                write_key(path, outcome.key, sealed=False, instead="--keys-to a folder outside of it")
                made.append(path)
        sealed = [work.plan.cluster(outcome.cluster) for outcome in outcomes if outcome.reason]
        left = tuple(recipients.left_to_sops(work, sealed))
        return Issued(tuple(outcomes), tuple(work.commit()), handed, left)
    except BaseException:
        for path in made:
            path.unlink()
        raise


def _key_file(folder: Path | None, outcome: intermediates.Outcome) -> Path:
    if folder is None:
        raise UsageError(
            f"{outcome.cluster}: with external-secrets the key goes into the store, not into the repository",
            "--keys-to FOLDER, outside of it, from where you put it there",
        )
    return folder / f"{outcome.cluster}-{KEY}"


@dataclass(frozen=True, slots=True)
class MadeElsewhere:
    """The files of a CA that was made elsewhere: each by its name, or by Istio's name for it in a folder.

    Standard input is -. `accepted` and `restarted` are as in `Issuing`.
    """

    folder: Path | None = None
    certificate: Path | None = None
    chain: Path | None = None
    key: Path | None = None
    root: Path | None = None
    password: Path | None = None
    accepted: bool = False
    restarted: bool = False

    def read(self, path: Path | None, standard: str) -> bytes | None:
        """The file of an option, else the one in the folder; None if there is neither."""
        folder = self.folder
        path = path or (folder / standard if folder and (folder / standard).exists() else None)
        return read_given(path) if path else None


@dataclass(frozen=True, slots=True)
class Imported:
    """The CA's subject, the files that changed, the certificates that expire soon, and the place of the key in a store;
    "" without a store."""

    subject: str
    changed: tuple[str, ...]
    ending: tuple[str, ...]
    store: str


def imported(work: Work, mesh: str, name: str, files: MadeElsewhere) -> Imported:
    """Verifies a CA, then writes and seals it. `mesh` is the name of mesh.yaml.

    Raises ProblemsError with all faults of the certificates, and UsageError if a file is missing.
    """
    (cluster,) = intermediates.signing(work.plan, [name])
    now = datetime.now(UTC)
    authority, key = _read(work, files)
    stop_on_faults(work.plan, cluster, authority)
    ending = lasting(parts_of(authority), now)
    recipients.stop_on_new(work, needs_of(work.plan), [cluster], files.accepted)
    password = password_in(files.password) if files.password else None
    intermediates.place(work, cluster, authority, plain_key(key, password), now)
    if not files.restarted:
        root_waits.stop_on_early_issue(work, mesh, [name], now)
    recipients.update_rules(work, [cluster])
    changed = tuple(work.commit())
    target = target_of(work.plan, cluster, "cacerts", None) if cluster.sealing.in_store else None
    store = target.store.key if target and target.store else ""
    warnings = (*ending, *recipients.left_to_sops(work, [cluster]))
    return Imported(one(authority.certificate, CA).subject, changed, warnings, store)


def _read(work: Work, files: MadeElsewhere) -> tuple[Authority, Hidden]:
    """The CA with its chain and roots, and its key. The root is by default that of the mesh."""
    folder = files.folder
    if folder and not folder.is_dir():
        raise UsageError(f'--from "{folder}" ' + ("is a file, not a folder" if folder.exists() else "isn't there"))
    found, key = files.read(files.certificate, CA), files.read(files.key, KEY)
    if found is None or key is None:
        raise UsageError("a certificate and its key are needed", "--from FOLDER, or --certificate FILE --key FILE")
    roots = files.read(files.root, ROOTS)
    roots = work.read(work.certificate(ROOTS)) if roots is None else roots
    if roots is None:
        raise UsageError("the root is needed", "--root FILE")
    chain = files.read(files.chain, CHAIN)
    chain = chain_of(found, *roots_above(found, found, roots)[:1]) if chain is None else chain
    return Authority(found, chain, roots), Hidden(key)

"""Issues CAs with a root's key: for each cluster that needs one, the CA, its files and its sealed Secret."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from meshc.errors import UsageError
from meshc.issuing.cacerts import CA, CHAIN, ROOTS, Authority, sealed_cacerts
from meshc.issuing.rewrapping import sealed_body
from meshc.issuing.verified import stop_on_faults
from meshc.plan.unknown import no_cluster
from meshc.sealing.contract import SealError
from meshc.sealing.file import backend_of, target_of
from meshc.trust.issue import Intermediate, chain_of, due, issue_intermediate, key_fits, summary
from meshc.trust.keys import IssueError, KeyType
from meshc.trust.rotation import roots_above, roots_in

if TYPE_CHECKING:
    from meshc.hidden import Hidden
    from meshc.issuing.work import Work
    from meshc.plan.ir import ClusterPlan, Plan


@dataclass(frozen=True, slots=True)
class Order:
    """Settings for issued CAs: a CA is valid for `days` days, and is due for renewal `before` days before its end."""

    now: datetime
    days: int
    before: int
    key_type: KeyType
    force: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome for one cluster. `reason` says why a CA was issued; it is empty if nothing was due.

    `key` is set if the backend only refers to a store: the user has to put the key into the store, at `store`.
    """

    cluster: str
    reason: str
    not_after: datetime
    key: Hidden | None = None
    store: str = ""


def signing(plan: Plan, names: Sequence[str]) -> list[ClusterPlan]:
    """The named clusters, or all clusters in which a CA runs. Raises UsageError if a cluster isn't in the mesh or has
    no CA."""
    if not names:
        return [cluster for cluster in plan.clusters if cluster.cacerts == "required"]
    known = {cluster.name: cluster for cluster in plan.clusters}
    if unknown := [name for name in names if name not in known]:
        raise no_cluster(plan, unknown[0])
    if plan.ca != "plugged-in":
        raise UsageError(f"ca.type is {plan.ca}, so meshc issues nothing", "write ca: {type: plugged-in}")
    return [known[name] for name in dict.fromkeys(names)]


@dataclass(frozen=True, slots=True)
class Issuer:
    """A root with its key, and all roots that the mesh trusts, as PEM."""

    roots: bytes
    root: bytes
    key: Hidden


def due_in(work: Work, clusters: Iterable[ClusterPlan], order: Order) -> dict[str, str]:
    """Why the CA of each cluster is due; "" if it isn't.

    A CA is due if it is missing, expires soon or is under an untrusted root, or if its sealed file is missing. Raises
    IssueError and SealError.
    """
    roots = roots_of(work)
    return {cluster.name: "as asked" if order.force else _reason(work, cluster, roots, order) for cluster in clusters}


def issuer_with(work: Work, key: Hidden) -> Issuer:
    """The root of the mesh with this key. Raises IssueError if no root has this key."""
    roots = roots_of(work)
    for root in roots_in(roots):
        if key_fits(root, key):
            return Issuer(roots, root, key)
    raise IssueError(f"the key doesn't belong to a root in {work.certificate(ROOTS)}")


def left_alone(work: Work, cluster: ClusterPlan) -> Outcome:
    """The outcome of a cluster whose CA isn't due."""
    certificate = work.read(work.certificate(CA, cluster.name)) or b""
    return Outcome(cluster.name, "", summary(certificate).not_after)


def issue(work: Work, cluster: ClusterPlan, issuer: Issuer, order: Order, reason: str) -> Outcome:
    """Issues a CA and seals it. Nothing is written before `work.commit`. Raises IssueError and SealError."""
    plan = work.plan
    wanted = Intermediate(cluster.name, plan.istio_namespace, order.key_type, order.now, order.days, plan.generation)
    made = issue_intermediate(issuer.root, issuer.key, wanted)
    chain = chain_of(made.certificate, issuer.root)
    stop_on_faults(work.plan, cluster, Authority(made.certificate, chain, issuer.root))
    authority = Authority(made.certificate, chain, issuer.roots)
    work.write(work.certificate(CA, cluster.name), authority.certificate)
    work.write(work.certificate(CHAIN, cluster.name), authority.chain)
    work.write(work.cacerts(cluster.name), sealed_cacerts(work, cluster, authority, made.key, order.now))
    until = summary(made.certificate).not_after
    if not cluster.sealing.in_store:
        return Outcome(cluster.name, reason, until)
    target = target_of(work.plan, cluster, "cacerts", None)
    return Outcome(cluster.name, reason, until, made.key, target.store.key if target.store else "")


def _reason(work: Work, cluster: ClusterPlan, roots: bytes, order: Order) -> str:
    certificate, chain = (work.read(work.certificate(name, cluster.name)) for name in (CA, CHAIN))
    if certificate is None or chain is None:
        return "it had none"
    if not roots_above(certificate, chain, roots):
        return "it was under another root"
    if due(certificate, order.now, order.before):
        return f"it expires within {order.before} days"
    path = work.cacerts(cluster.name)
    sealed = work.read(path)
    if sealed is None:
        return "its sealed file was missing"
    body = sealed_body(sealed)
    if body is None:
        raise SealError(f"{path} isn't one sealed object", "restore it from Git, or issue a new CA with --force")
    return "" if body.get("kind") == backend_of(cluster).KIND else "its backend changed"


def place(work: Work, cluster: ClusterPlan, authority: Authority, key: Hidden, now: datetime) -> None:
    """Places and seals a CA that was made elsewhere. Raises IssueError and SealError."""
    existing = work.read(work.certificate(ROOTS))
    if existing is not None and not all(block in existing for block in roots_in(authority.roots)):
        raise IssueError(
            f"{work.certificate(ROOTS)} has another root", "meshc ca rotate-root replaces one, in three steps"
        )
    if (end := summary(authority.certificate).not_after) <= now:
        raise SealError(f"{cluster.name}: its CA expired on {end:%Y-%m-%d}; nothing was sealed")
    authority = Authority(authority.certificate, authority.chain, existing or authority.roots)
    work.write(work.certificate(ROOTS), authority.roots)
    work.write(work.certificate(CA, cluster.name), authority.certificate)
    work.write(work.certificate(CHAIN, cluster.name), authority.chain)
    work.write(work.cacerts(cluster.name), sealed_cacerts(work, cluster, authority, key, now))


def roots_of(work: Work) -> bytes:
    roots = work.read(work.certificate(ROOTS))
    if roots is None:
        raise IssueError(f"there is no {work.certificate(ROOTS)}", "meshc ca init makes a root")
    return roots

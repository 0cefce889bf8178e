"""Finds the next step in the replacement of a mesh's root, and does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.errors import RefusedError, UsageError
from meshc.issuing.cacerts import CA, CHAIN, ROOTS, public_part, with_roots
from meshc.issuing.intermediates import Issuer, Order, Outcome, issue, roots_of
from meshc.issuing.verified import signed_in
from meshc.plan.lifetime import lifetime_of
from meshc.trust.issue import key_fits
from meshc.trust.keys import IssueError
from meshc.trust.rotation import Action, Signer, Step, next_step

if TYPE_CHECKING:
    from meshc.hidden import Hidden
    from meshc.issuing.work import Work


def planned(work: Work, new: bytes | None) -> Step:
    """The next step, and no other. Raises IssueError if files are missing or contradict one another."""
    signers = _signers(work)
    leaves = [leaf for cluster in work.plan.clusters for leaf in signed_in(work.plan, cluster)]
    step = next_step(roots_of(work), signers, new, leaves=leaves)
    if step.action is not Action.NOTHING:
        for signer in signers:
            if signer.cluster not in step.reissue:
                _agrees(work, signer)
    return step


def take(work: Work, step: Step, key: Hidden | None, order: Order) -> list[Outcome]:
    """Does a step. `key` is the key of the new root, needed for the step that issues CAs. Raises IssueError,
    SealError."""
    bundle = _sent(work, step)
    work.write(work.certificate(ROOTS), bundle)
    for signer in _signers(work) if bundle != work.committed(work.certificate(ROOTS)) else ():
        path = work.cacerts(signer.cluster)
        sealed = work.read(path)
        if sealed is not None and signer.cluster not in step.reissue:
            work.write(path, with_roots(sealed, bundle, path))
    if step.action is not Action.REISSUE:
        return []
    if key is None:
        raise UsageError(
            "this step issues under the new root",
            "give its key: --root-key FILE; if it is in Vault or a private CA: meshc ca import CLUSTER, for each",
        )
    if not key_fits(step.root, key):
        raise IssueError("the key doesn't belong to the new root")
    clusters = [cluster for cluster in work.plan.clusters if cluster.name in step.reissue]
    issuer = Issuer(bundle, step.root, key)
    return [issue(work, cluster, issuer, order, "as asked") for cluster in clusters]


def _sent(work: Work, step: Step) -> bytes:
    """The roots, plus one blank line if proxies should ask for certificates of the re-issued CAs at once.

    Proxies do so when istiod sends them different bytes, and the roots themselves don't change in this step.
    """
    again = step.action is Action.REISSUE and lifetime_of(work.plan).sent
    return step.bundle + b"\n" if again else step.bundle


def stop_on_uncompiled(work: Work) -> None:
    """Raises RefusedError if output/ doesn't contain the result of the last step, because no cluster can have synced
    it.

    If the committed output/ has no cacerts, for example because output/ is in another repository, nothing is checked.
    """
    for signer in _signers(work):
        path = f"output/{signer.cluster}/cacerts.yaml"
        compiled = work.read(path)
        if compiled is None:
            continue
        there = [public_part(compiled, CA), public_part(compiled, ROOTS)]
        if there != [signer.certificate, work.read(work.certificate(ROOTS))]:
            raise RefusedError(
                f"{path} isn't the result of the last step", "meshc compile, commit and sync every cluster first"
            )


def _agrees(work: Work, signer: Signer) -> None:
    """Checks that the sealed CA of each cluster belongs to the cluster's certificates."""
    path = work.cacerts(signer.cluster)
    sealed = work.read(path)
    if sealed is None:
        if work.plan.cluster(signer.cluster).cacerts == "required":
            raise IssueError(f"{path} is missing", f"restore it from Git, or meshc ca issue {signer.cluster}")
    elif public_part(sealed, CA) != signer.certificate:
        certificate = work.certificate(CA, signer.cluster)
        hint = f"restore it from Git, or meshc ca issue --force {signer.cluster}"
        raise IssueError(f"{path} isn't sealed for {certificate}", hint)


def _signers(work: Work) -> list[Signer]:
    """Every cluster with a CA. Raises IssueError if a part of a CA is missing, because the CA may still sign."""
    found = []
    for cluster in work.plan.clusters:
        paths = work.certificate(CA, cluster.name), work.certificate(CHAIN, cluster.name)
        certificate, chain = (work.read(path) for path in paths)
        if certificate and chain:
            found.append(Signer(cluster.name, certificate, chain))
        elif cluster.cacerts == "required" or certificate or chain or work.read(work.cacerts(cluster.name)):
            missing = paths[1] if certificate else paths[0]
            hint = f"restore it from Git, or meshc ca issue {cluster.name}"
            raise IssueError(f"{missing} is missing, so it is unknown which root {cluster.name} is under", hint)
    return found

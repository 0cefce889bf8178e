"""Finds the phase and the next step of a root's replacement, from public certificates.

First every cluster must trust both roots, then every CA is issued under the new root, and only then the old root is
removed. Each step is a commit, which every cluster must sync before the next one. Files show only what was committed,
not what a cluster has synced. istiod accepts another root without a restart only with ISTIO_MULTIROOT_MESH, and only if
one bundle contains the other: Istio 1.24 searches one bundle's bytes in the other, 1.30 compares sets of certificates.
So meshc appends to a bundle or cuts it, and never formats it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from meshc import codes
from meshc.errors import Severity
from meshc.generation import Generation
from meshc.trust.certificates import read
from meshc.trust.chain import check_chain
from meshc.trust.issue import one
from meshc.trust.keys import IssueError
from meshc.trust.names import forbidden
from meshc.trust.verify import verify

if TYPE_CHECKING:
    from meshc.trust.certificates import Certificate
    from meshc.trust.names import Leaf

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_NO_WAY = (codes.CHAIN_BROKEN, codes.ROOT_DIFFERS, codes.PATH_TOO_LONG)


class Phase(StrEnum):
    """The phase of the replacement. `STEADY` is before the first step and after the last."""

    STEADY = "steady"
    BOTH_TRUSTED = "both roots trusted"
    REISSUING = "some clusters re-issued"
    ALL_REISSUED = "all clusters re-issued"


class Action(StrEnum):
    """The steps; a run does only one of them."""

    NOTHING = "nothing"
    TRUST_BOTH = "trust both roots"
    REISSUE = "re-issue under the new root"
    DROP_OLD = "drop the old root"


@dataclass(frozen=True, slots=True)
class Signer:
    """A cluster that has a CA: its name, and the bytes of its ca-cert.pem and cert-chain.pem."""

    cluster: str
    certificate: bytes
    chain: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of the replacement. In phase STEADY there is no new root and no pending cluster.

    `old` and `new` are the parts of root-cert.pem, byte for byte. `pending` are the clusters whose CA is still under
    the old root, `done` those under the new root, in the given order.
    """

    phase: Phase
    old: bytes
    new: bytes | None
    pending: tuple[str, ...]
    done: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """The next step: the content of root-cert.pem after it, and the clusters that get a new CA under `root`.

    A run may issue CAs for fewer clusters; the next run finds the others.
    """

    action: Action
    bundle: bytes
    root: bytes
    reissue: tuple[str, ...] = ()


def phase_of(bundle: bytes, signers: Sequence[Signer]) -> Standing:
    """The state of the replacement, from root-cert.pem and every cluster's CA.

    The first of two roots is the old one. Raises IssueError for three or more roots, for a root that is there twice,
    for two roots with one key, and for a CA under none of the roots.
    """
    roots = _roots(bundle)
    if not signers:
        raise IssueError("there is no cluster with a CA, so it is unknown which root is in use")
    if len(roots) == 1:
        _under(roots, signers)
        return Standing(Phase.STEADY, bundle, None, (), tuple(signer.cluster for signer in signers))
    new = roots[1].fingerprint
    above = _under(roots, signers)
    done = tuple(cluster for cluster, over in above.items() if new in over)
    pending = tuple(cluster for cluster in above if cluster not in done)
    phase = Phase.ALL_REISSUED if not pending else Phase.REISSUING if done else Phase.BOTH_TRUSTED
    cut = bundle.index(_BEGIN, bundle.index(_BEGIN) + 1)
    return Standing(phase, bundle[:cut], bundle[cut:], pending, done)


def next_step(
    bundle: bytes,
    signers: Sequence[Signer],
    new: bytes | None = None,
    asked: Action | None = None,
    leaves: Sequence[Leaf] = (),
) -> Step:
    """The next step. `new` is the new root, needed for the first step and checked in the others.

    `leaves` are the certificates that CAs under the new root must be able to sign.

    Raises IssueError as phase_of does; if `new` isn't a root, or isn't the root that is being introduced; and if
    `asked` isn't the step that is due, because no step may be skipped.
    """
    standing = phase_of(bundle, signers)
    if new is not None:
        _check_new(standing, new, leaves)
    step = _step(standing, bundle, new)
    if asked not in (None, step.action):
        raise IssueError(f'"{asked}" can\'t be done now: {_why(standing, step)}')
    if not (contains(step.bundle, bundle) or contains(bundle, step.bundle)):
        raise IssueError("root-cert.pem can't be copied byte by byte: write it as plain PEM, then try again")
    return step


def contains(larger: bytes, smaller: bytes) -> bool:
    """True if istiod finds one bundle in the other, by bytes (1.24) and by certificates (1.30)."""
    (more, faults), (fewer, others) = read("", larger, lenient=True), read("", smaller, lenient=True)
    subset = {c.fingerprint for c in fewer} <= {c.fingerprint for c in more}
    return not faults and not others and subset and smaller in larger


def roots_in(bundle: bytes) -> tuple[bytes, ...]:
    """Each certificate of a bundle as PEM, with the text that follows it, in the order of the bundle."""
    return tuple(_BEGIN + rest for rest in bundle.split(_BEGIN)[1:])


@lru_cache(maxsize=4096)  # each sealed CA is asked for it twice
def roots_above(certificate: bytes, chain: bytes, bundle: bytes) -> tuple[bytes, ...]:
    """The roots of the bundle that a CA chains to, each as PEM. A binding may name one of them. Ignores dates.

    There is more than one only if the CA is cross-signed. Empty if there is none. Raises IssueError for unreadable
    bytes.
    """
    roots = _readable(bundle)  # as many as roots_in finds, in their order
    over = _over(Signer("the CA", certificate, chain), roots)
    return tuple(block for block, root in zip(roots_in(bundle), roots, strict=True) if root.fingerprint in over)


def _step(standing: Standing, bundle: bytes, new: bytes | None) -> Step:
    if standing.new is None:
        if new is None:
            return Step(Action.NOTHING, bundle, bundle)
        joined = bundle + (b"" if bundle.endswith(b"\n") else b"\n") + new
        return Step(Action.TRUST_BOTH, joined, standing.old)
    if standing.pending:
        return Step(Action.REISSUE, bundle, standing.new, standing.pending)
    return Step(Action.DROP_OLD, standing.new, standing.new)


def _check_new(standing: Standing, new: bytes, leaves: Sequence[Leaf]) -> None:
    root, old = one(new, "the new root"), one(standing.old, "the old root")
    if standing.new is not None:
        if root.fingerprint == one(standing.new, "the new root").fingerprint:
            return
        if root.fingerprint == old.fingerprint:
            raise IssueError("this is the old root, which is being replaced: name the second one of root-cert.pem")
        raise IssueError("this would be a third root: first complete the current replacement, then start another one")
    if root.fingerprint == old.fingerprint:
        raise IssueError("this is already the root of the mesh, and every CA is under it: name another root")
    for problem in (*verify(("the new root", new), (), generation=Generation.ISTIOD), *forbidden((root,), leaves, ())):
        if problem.severity is Severity.ERROR:
            raise IssueError(f"the new root can't be used: {problem.what}; {problem.hint}")
    if root.path_length == 0:
        raise IssueError("the new root allows no CA below it (path length 0): make one with path length 1")
    _keys_differ(old, root)


def _why(standing: Standing, step: Step) -> str:
    waiting = ", ".join(standing.pending)
    match step.action:
        case Action.NOTHING:
            return "there is one root, and no new root is given: name a new root"
        case Action.TRUST_BOTH:
            return "the clusters don't trust the new root yet: trust both roots first, and sync every cluster"
        case Action.REISSUE:
            return (
                f"both are trusted, but still under the old root: {waiting}; issue again first, and sync every cluster"
            )
        case Action.DROP_OLD:
            return "both roots are trusted and every CA is under the new one: drop the old root"


def _roots(bundle: bytes) -> tuple[Certificate, ...]:
    roots = _readable(bundle)
    if len({root.fingerprint for root in roots}) < len(roots):
        raise IssueError("root-cert.pem has the same root twice: remove one of the two")
    if len(roots) > 2:
        raise IssueError(f"root-cert.pem has {len(roots)} roots: keep at most two; remove roots that no CA is under")
    if len(roots) == 2:
        _keys_differ(*roots)
    return roots


def _readable(bundle: bytes) -> tuple[Certificate, ...]:
    roots, problems = read("root-cert.pem", bundle)
    if problems:
        raise IssueError(f"{problems[0].place}: {problems[0].what}; {problems[0].hint}")
    return roots


def _keys_differ(old: Certificate, new: Certificate) -> None:
    """Refuses a renewed root with the same key: every CA would be under both roots, so no step could be recognized."""
    if old.key_digest == new.key_digest:
        raise IssueError("the new root has the key of the old one: make a root with a new key")


def _under(roots: Sequence[Certificate], signers: Sequence[Signer]) -> dict[str, frozenset[str]]:
    above = {signer.cluster: _over(signer, roots) for signer in signers}
    if lost := ", ".join(cluster for cluster, over in above.items() if not over):
        hint = "add the root that they are under to root-cert.pem again, until these CAs are issued again"
        raise IssueError(f"under no root of root-cert.pem: {lost}; {hint}")
    return above


def _over(signer: Signer, roots: Sequence[Certificate]) -> frozenset[str]:
    """Fingerprints of the roots that the signer chains to. A root in its chain file doesn't count as trusted."""
    ca = one(signer.certificate, f"ca-cert.pem of {signer.cluster}")
    chain, problems = read("", signer.chain)
    if problems:
        raise IssueError(f"cert-chain.pem of {signer.cluster} can't be used: {problems[0].what}; {problems[0].hint}")
    ways = {root.fingerprint: check_chain(ca, chain, [root], ()) for root in roots}
    return frozenset(root for root, found in ways.items() if not any(p.code in _NO_WAY for p in found))

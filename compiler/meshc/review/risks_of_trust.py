"""Compares the public parts of cacerts before and after a change, and finds the effects on trust in the mesh."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from meshc import codes
from meshc.kube import Body, Identity
from meshc.review.diff import Difference
from meshc.review.objects import Parser
from meshc.review.risks_of_objects import Risk
from meshc.review.shown import pem_of
from meshc.tree import FileTree
from meshc.trust import tls_form
from meshc.trust.certificates import read
from meshc.trust.keys import IssueError
from meshc.trust.rotation import roots_above

_NAME = "cacerts"
AUTHORITY, ROOTS = Identity("", "Secret", "", "ca-cert.pem"), Identity("", "Secret", "", "root-cert.pem")
"""The identities that represent the CA of a cluster and the roots that it trusts, independent of Istio's namespace."""


@dataclass(frozen=True, slots=True)
class _Authority:
    """The fingerprints of a cluster's CA, of the roots that it trusts, and of those roots that issued its CA."""

    ca: str
    roots: frozenset[str]
    above: frozenset[str]


def authorities_at_risk(difference: Difference, before: FileTree, after: FileTree) -> Iterator[Risk]:
    """CAs that are replaced, and roots that are removed while a CA below them may still sign.

    Workloads keep their certificates until these expire, so the CA from before the change counts.
    """
    if not any(identity.name == _NAME for s in difference.sides.values() for identity in (*s.before, *s.after)):
        return
    old_names = {new: old for old, new in difference.renamed.items()}
    old = {name: _of(before, old_names.get(name, name)) for name in difference.before}
    new = {name: _of(after, name) for name in difference.after}
    for name in difference.after:
        there = before.get(f"{old_names.get(name, name)}/{_NAME}.yaml"), after.get(f"{name}/{_NAME}.yaml")
        if what := _becomes_of(old.get(name), new[name], there):
            yield Risk(codes.CA_REPLACED, what, (name,), AUTHORITY)
    both = {name: (was, now) for name, now in new.items() if now and (was := old.get(name))}
    for root, clusters in _by_root({name: now.roots - was.roots for name, (was, now) in both.items()}):
        what = f"workloads now trust root {root[:23]}..., and accept every certificate below it,"
        yield Risk(codes.TRUST_GRANTED, what, tuple(clusters), ROOTS)
    for root, clusters in _by_root({name: was.roots - now.roots for name, (was, now) in both.items()}):
        under = [name for name, one in old.items() if one and root in one.above]
        if under:
            what = f"workloads no longer trust root {root[:23]}..., but the CAs of {', '.join(under[:6])} are below it,"
            yield Risk(codes.ROOT_DROPPED, what, tuple(clusters), ROOTS)


def _becomes_of(was: _Authority | None, now: _Authority | None, there: tuple[bytes | None, bytes | None]) -> str:
    """What happens to a cluster's CA; empty if it stays. `there` are the files of the CA before and after."""
    if there[0] is not None and there[1] is None:
        return "cacerts is removed, so istiod makes its own root at its next start"
    if was and now:
        return f"CA {now.ca[:23]}... replaces {was.ca[:23]}..." if was.ca != now.ca else ""
    if there[0] and there[0] != there[1] and _holds_certificates(there):
        return "meshc can't read cacerts before and after the change, so it can't compare the CA,"
    return ""


def _by_root(roots: Mapping[str, Collection[str]]) -> Iterator[tuple[str, list[str]]]:
    """Each root, with the clusters that have it."""
    found: dict[str, list[str]] = {}
    for name, some in roots.items():
        for root in sorted(some):
            found.setdefault(root, []).append(name)
    yield from found.items()


def _holds_certificates(files: tuple[bytes | None, bytes | None]) -> bool:
    """True if the files contain certificates. An ExternalSecret may have none: then no part of the CA is in Git."""
    return any(name in data for name in (b"ca-cert.pem", b"tls.crt") for data in files if data)


def _of(tree: FileTree, cluster: str) -> _Authority | None:
    """The fingerprints of one cluster; None if there is no cacerts, or if some of its public parts aren't in Git."""
    file = f"{cluster}/{_NAME}.yaml"
    if file not in tree:
        return None
    for identity, body in Parser().objects(FileTree({file: tree[file]})).items():
        if identity.name == _NAME:
            return _authority(body)
    return None


def _authority(body: Body) -> _Authority | None:
    ca, chain, roots = (pem_of(body, f"{name}.pem") for name in ("ca-cert", "cert-chain", "root-cert"))
    if (certificate := pem_of(body, tls_form.CERTIFICATE)) and (above := pem_of(body, tls_form.ROOTS)):
        ca, chain, roots = tls_form.certificates_of(certificate, above).values()
    if not (ca and chain and roots):
        return None
    try:
        over_it = roots_above(ca, chain, roots)
    except IssueError:
        return None
    over = frozenset(one.fingerprint for pem in over_it for one in read("", pem)[0])
    trusted = frozenset(one.fingerprint for one in read("", roots)[0])
    return _Authority(read("", ca)[0][0].fingerprint, trusted, over)

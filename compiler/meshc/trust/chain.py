"""Checks a cluster's CA, its chain file and the roots against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from meshc import codes
from meshc.trust.alone import check_authority, shown_time
from meshc.trust.certificates import signed_by
from meshc.trust.names import forbidden

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.trust.certificates import Certificate
    from meshc.trust.names import Leaf


def check_chain(
    ca: Certificate,
    chain: Sequence[Certificate],
    roots: Sequence[Certificate],
    name: tuple[str, ...],
    leaves: Sequence[Leaf] = (),
) -> Iterator[Problem]:
    """Checks the path from the cluster's CA through its chain file to one of the roots, for the leaf certificates that
    the CA signs."""
    if chain[0].fingerprint != ca.fingerprint:
        # Workloads send this file behind their certificate; istiod takes the CA's expiry from its first.
        what = "the first certificate isn't the one in ca-cert.pem, which signs the workloads that send this chain"
        hint = "put the certificate of ca-cert.pem first, then its issuers in order"
        yield codes.CHAIN_FILE_ORDER.at(chain[0].place, what, hint, also=(ca.place,), clusters=name)
    path, _ = _path(ca, chain, roots, limited=True)
    if not path:
        path, ends = _path(ca, chain, roots, limited=False)
        if not path:
            yield _broken(ends, chain, roots, name)
            return
        for below, issuer in enumerate(path):
            if issuer.path_length is not None and issuer.path_length < below:
                allowed = f'"{issuer.subject}" allows {issuer.path_length} CAs below it'
                what = f'{allowed} (path length), and "{ca.subject}" is number {below}'
                hint = "issue it from a CA further up, or issue that CA again with a greater path length"
                yield codes.PATH_TOO_LONG.at(ca.place, what, hint, also=(issuer.place,), clusters=name)
    anchors = {root.fingerprint for root in roots}
    for issuer in path[1:]:
        if issuer.fingerprint not in anchors:
            yield from check_authority(issuer, codes.CA_UNUSABLE, name)
    yield from _path_dates(path, name)
    yield from _path_policies(path, anchors, name)
    yield from forbidden(path, leaves, name)
    # A renewed or cross-signed copy differs, but has the name and key of a certificate that belongs there.
    known = {(c.subject, c.key_digest) for c in (*path, *roots)}
    for certificate in chain:
        if (certificate.subject, certificate.key_digest) not in known:
            what = f'"{certificate.subject}" isn\'t in the chain from "{ca.subject}" to its root'
            hint = "remove it: every workload would send it in every handshake"
            yield codes.CHAIN_UNRELATED.at(certificate.place, what, hint, clusters=name)


def _path(
    ca: Certificate, chain: Sequence[Certificate], roots: Sequence[Certificate], *, limited: bool
) -> tuple[list[Certificate], list[Certificate]]:
    """The shortest path from `ca` to a root; or an empty path, and every certificate that was reached, farthest first.

    The search is breadth first, so it reaches each certificate with the fewest CAs below it; the path length limits
    this number. Go also counts self-issued certificates, although RFC 5280 (6.1.4 l) doesn't.
    """
    anchors = {root.fingerprint for root in roots}
    ways, seen = [[ca]], {ca.fingerprint}
    for way in ways:  # grows under way
        if way[-1].fingerprint in anchors:
            return way, []
        for issuer in (*roots, *chain):
            too_long = limited and issuer.path_length is not None and issuer.path_length < len(way)
            again = any(_same(issuer, certificate) for certificate in way)
            if issuer.fingerprint not in seen and not again and not too_long and _issued(way[-1], issuer):
                seen.add(issuer.fingerprint)
                ways.append([*way, issuer])
    return [], [way[-1] for way in reversed(ways)]


def _same(one: Certificate, other: Certificate) -> bool:
    """True if Go treats two certificates as the same, so that no path may contain both (alreadyInChain)."""
    return (one.subject, one.key_digest, one.names) == (other.subject, other.key_digest, other.names)


def _issued(child: Certificate, issuer: Certificate) -> bool:
    return child.issuer == issuer.subject and not _ids_differ(child, issuer) and signed_by(child, issuer)


def _ids_differ(child: Certificate, issuer: Certificate) -> bool:
    """True if the key identifiers differ: OpenSSL and BoringSSL (Envoy) then refuse the issuer, even if its key fits;
    Go (istiod) accepts it."""
    return bool(child.issuer_key_id and issuer.key_id) and child.issuer_key_id != issuer.key_id


def _broken(
    ends: Sequence[Certificate],
    chain: Sequence[Certificate],
    roots: Sequence[Certificate],
    name: tuple[str, ...],
) -> Problem:
    """Why no chain leads to a root. Describes the closest chain: first one with a foreign root."""
    end = next((c for c in ends if c.self_issued), ends[0])
    namesakes = [c for c in (*roots, *chain) if c.subject == end.issuer and c.fingerprint != end.fingerprint]
    if other := next((c for c in namesakes if _ids_differ(end, c) and signed_by(end, c)), None):
        what = f'"{end.subject}" names its issuer "{other.subject}" by a wrong key identifier'
        hint = "issue it again with the issuer's key identifier, because Envoy compares it"
        return codes.CHAIN_BROKEN.at(end.place, what, hint, also=(other.place,), clusters=name)
    root = next((r for r in roots if r.subject == end.issuer), None)
    if root or end.self_issued:
        hint = "issue it again from the common root, or add its own root to root-cert.pem of the whole mesh"
        what = f'the chain ends in "{end.subject}"' if end.self_issued else f'the root above "{end.subject}"'
        if root is None:
            what += f", which isn't in root-cert.pem: its SHA-256 is {end.fingerprint}"
        elif end.self_issued:
            what += ", which has the subject of a root in root-cert.pem, but another key: "
            what += f"SHA-256 {end.fingerprint} here, {root.fingerprint} there"
        else:
            what += f' has the subject "{root.subject}", which is equal to that of a root in root-cert.pem, but'
            what += f" its key differs: SHA-256 {end.fingerprint} isn't signed by {root.fingerprint}"
        also = (root or roots[0]).place
        return codes.ROOT_DIFFERS.at(end.place, what, hint, also=(also,), clusters=name)
    if namesakes:
        what = f'"{end.subject}" isn\'t signed by the key of "{end.issuer}" in cert-chain.pem'
        hint = "put the certificate of its CA into cert-chain.pem"
        return codes.CHAIN_BROKEN.at(end.place, what, hint, also=(namesakes[0].place,), clusters=name)
    what = f'the issuer of "{end.subject}", "{end.issuer}", is neither in cert-chain.pem nor in root-cert.pem'
    return codes.CHAIN_BROKEN.at(end.place, what, "add its certificate to cert-chain.pem", clusters=name)


def _path_policies(path: Sequence[Certificate], anchors: set[str], name: tuple[str, ...]) -> Iterator[Problem]:
    """Finds CAs that require policies, because no workload's certificate has any. A root's requirement doesn't apply
    (RFC 5280, 6.1)."""
    for at, issuer in enumerate(path):
        below = sum(not certificate.self_issued for certificate in path[:at])
        told = issuer.fingerprint in anchors or issuer.unknown_critical  # the latter by check_authority
        explicit = None if told else issuer.explicit_policy
        if explicit is not None and explicit - below <= 1:
            what = f'"{issuer.subject}" requires policies in certificates below it, and Istio\'s certificates have none'
            hint = "issue it again without requireExplicitPolicy"
            yield codes.CA_UNUSABLE.at(issuer.place, what, hint, clusters=name)


def _path_dates(path: Sequence[Certificate], name: tuple[str, ...]) -> Iterator[Problem]:
    for issued, issuer in pairwise(path):
        outside = []
        if issued.not_before < issuer.not_before:
            began = shown_time(issuer.not_before)
            outside.append(f"begins on {shown_time(issued.not_before)}, before its issuer on {began}")
        if issued.not_after > issuer.not_after:
            ended = shown_time(issuer.not_after)
            outside.append(f"ends on {shown_time(issued.not_after)}, after its issuer on {ended}")
        if outside:
            what = f'"{issued.subject}" {" and ".join(outside)}'
            hint = "issue it again with dates inside its issuer's, or renew the issuer"
            yield codes.OUTSIDE_ISSUER_DATES.at(issued.place, what, hint, also=(issuer.place,), clusters=name)
    begin, end = max(c.not_before for c in path), min(c.not_after for c in path)
    if begin >= end and all(c.not_before < c.not_after for c in path):
        what = f'the chain of "{path[0].subject}" is never valid: one certificate ends before another begins'
        hint = "issue its certificates again with dates that overlap"
        yield codes.DATES_IMPOSSIBLE.at(path[0].place, what, hint, clusters=name)

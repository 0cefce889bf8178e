"""Verifies the CA of every cluster against the common root: turns public certificates into problems."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from meshc import codes
from meshc.errors import Place
from meshc.trust.certificates import read, signed_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from meshc.errors import Code, Problem
    from meshc.trust.certificates import Certificate

Generation = Literal["classic", "istiod"]

SAMPLE_KEYS: Mapping[str, str] = {
    "42d8cfd1102e06e3f2579e68f9db4f787ec9cbcd1f19f1bae7934cee918c2fef": "ca-cert.pem",
    "f0592d4d660052580d0c0bfe09f9a4d795ad8ab7c2fa86c33276fbb352145ee5": "root-cert.pem",
    "88e809261b157f0db238901c0033e6bfeba79793c20ab8af41963cdd41ce6600": "ca-cert-alt.pem",
    "7c5f2208b98507d0d6f1fda0a6609e93fbb7fb434d39ed78b71e305e23d7a46d": "ca-cert-alt-2.pem",
    "42d0f6531c3afb84b72f12f458fa35dc74402771fed9b27ad48a665474dde501": "root-cert-alt.pem",
}
"""SHA-256 of the public keys of Istio's samples/certs, so that a renewed certificate is recognised too.

The private keys of the three CAs are published beside them, so the two roots above protect nothing.
"""

_SERVER, _CLIENT, _ANY = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0"
_WEAK = ("md5", "sha1")  # Go refuses both, BoringSSL MD5


@dataclass(frozen=True, slots=True)
class ClusterFiles:
    """What one cluster has: name (for messages) and bytes of each file, None where there is none."""

    cluster: str
    ca_cert: tuple[str, bytes] | None
    cert_chain: tuple[str, bytes] | None


def verify(
    root: tuple[str, bytes], clusters: Sequence[ClusterFiles], *, generation: Generation
) -> list[Problem]:
    """Every fault of the mesh's certificates, in file order.

    Dates are compared with each other, never with a clock. Never raises, whatever the bytes.
    """
    roots, unreadable = read(*root)
    found = [*unreadable, *_roots(roots)]
    anchors = () if unreadable else roots  # without every root, no chain can be called broken
    signers: list[tuple[str, Certificate]] = []
    for files in clusters:
        signer, problems = _cluster(files, anchors, generation)
        found += problems
        if signer:
            signers.append((files.cluster, signer))
    found += _shared_keys(signers, roots)
    return sorted(found, key=lambda problem: problem.order)


def _roots(roots: Iterable[Certificate]) -> Iterator[Problem]:
    first: dict[str, Certificate] = {}
    for root in roots:
        if same := first.get(root.fingerprint):
            what, hint = "the same certificate stands here a second time", "take one of the two out"
            yield codes.ROOT_TWICE.at(root.place, what, hint, also=(same.place,))
            continue
        first[root.fingerprint] = root
        hint = "put the certificate of the root itself there"
        if not root.self_issued:
            what = f'"{root.subject}" isn\'t a root: its issuer is "{root.issuer}"'
            yield codes.ROOT_UNUSABLE.at(root.place, what, hint)
        elif root.signature_hash not in _WEAK and not signed_by(root, root):
            what = f'"{root.subject}" isn\'t a root: it names itself as issuer, but another key signed it'
            yield codes.ROOT_UNUSABLE.at(root.place, what, hint)
        yield from _alone(root, ())
        yield from _authority(root, codes.ROOT_UNUSABLE, ())


def _cluster(
    files: ClusterFiles, roots: Sequence[Certificate], generation: Generation
) -> tuple[Certificate | None, list[Problem]]:
    """The certificate a cluster signs with, if it can be read, and the cluster's problems."""
    name, found = (files.cluster,), [*_incomplete(files)]
    authorities, ca_faults = read(*files.ca_cert, name) if files.ca_cert else ((), ())
    chain, chain_faults = read(*files.cert_chain, name) if files.cert_chain else ((), ())
    found += [*ca_faults, *chain_faults]
    if len(authorities) > 1:
        what = f"this file holds {len(authorities)} certificates, but istiod and Citadel read only the first"
        hint = "keep only the cluster's own CA there; its issuers belong into cert-chain.pem"
        found.append(codes.CA_CERT_NOT_SINGLE.at(authorities[1].place, what, hint, clusters=name))
    for certificate in {c.fingerprint: c for c in (*chain, *authorities)}.values():
        found += _alone(certificate, name)
    if not authorities or ca_faults:
        return None, found
    ca = authorities[0]
    found += _authority(ca, codes.CA_UNUSABLE, name)
    found += _signing_key(ca, generation, name)
    if ca.key_digest in {root.key_digest for root in roots}:
        what = f'the root itself is used as intermediate of "{files.cluster}"'
        hint = "issue an intermediate for the cluster, and keep the root's key out of every cluster"
        found.append(codes.ROOT_USED_AS_CA.at(ca.place, what, hint, clusters=name))
    # cryptography verifies no MD5 or SHA-1, so a chain with one would look broken besides.
    weak = any(problem.code is codes.SIGNATURE_WEAK for problem in found)
    if roots and chain and not chain_faults and not weak:
        found += _chain(ca, chain, roots, name)
    return ca, found


def _incomplete(files: ClusterFiles) -> Iterator[Problem]:
    for there, other, missing in (
        (files.ca_cert, files.cert_chain, "cert-chain.pem"),
        (files.cert_chain, files.ca_cert, "ca-cert.pem"),
    ):
        if there and not other:
            what = f'"{files.cluster}" has this file but no {missing}'
            hint = "add it: istiod refuses to start with an incomplete set"
            yield codes.CERTIFICATE_PAIR_INCOMPLETE.at(Place(there[0]), what, hint, clusters=(files.cluster,))


def _alone(certificate: Certificate, name: tuple[str, ...]) -> Iterator[Problem]:
    """What can be said of any certificate without knowing its issuer."""
    place, subject = certificate.place, certificate.subject
    if sample := SAMPLE_KEYS.get(certificate.key_digest):
        what = (
            f"this is Istio's public sample samples/certs/{sample}: everybody has a key that issues under it"
        )
        yield codes.SAMPLE_CA.at(place, what, "make a root and intermediates of your own", clusters=name)
    if certificate.not_before >= certificate.not_after:
        begin, end = _time(certificate.not_before), _time(certificate.not_after)
        what = f'"{subject}" is never valid: it begins on {begin} and ends on {end}'
        yield codes.DATES_IMPOSSIBLE.at(place, what, "issue it again with dates in order", clusters=name)
    # A root is trusted as it is: nobody checks its own signature (RFC 5280, 6.1).
    if certificate.signature_hash in _WEAK and not certificate.self_issued:
        what = f'"{subject}" is signed with {certificate.signature_hash.upper()}, which istiod refuses'
        yield codes.SIGNATURE_WEAK.at(place, what, "issue it again with SHA-256", clusters=name)


def _authority(certificate: Certificate, code: Code, name: tuple[str, ...]) -> Iterator[Problem]:
    """What every CA of a path must be, root, intermediate or signer (RFC 5280, 6.1.4 k and n)."""
    place, subject = certificate.place, certificate.subject
    if not certificate.is_ca:
        what, hint = "isn't a CA: it lacks CA:TRUE", "issue it again with basicConstraints CA:TRUE"
        yield code.at(place, f'"{subject}" {what}', hint, clusters=name)
    if not certificate.may_sign:
        what, hint = "may not sign: its keyUsage lacks keyCertSign", "issue it again with keyCertSign"
        yield code.at(place, f'"{subject}" {what}', hint, clusters=name)
    purposes = certificate.purposes
    if purposes is not None and _ANY not in purposes and not {_SERVER, _CLIENT} <= purposes:
        # Go wants serverAuth when istiod loads the CA; Envoy wants both: in mutual TLS workloads are both.
        lacking = " and ".join(
            w for w, oid in (("serverAuth", _SERVER), ("clientAuth", _CLIENT)) if oid not in purposes
        )
        what, hint = (
            f"may not sign workloads: its extendedKeyUsage lacks {lacking}",
            "issue it again without extendedKeyUsage",
        )
        yield code.at(place, f'"{subject}" {what}', hint, clusters=name)
    if certificate.unknown_critical:
        oids = ", ".join(certificate.unknown_critical)
        what, hint = (
            f"has a critical extension that istiod and Envoy refuse: {oids}",
            "issue it again without that extension",
        )
        yield code.at(place, f'"{subject}" {what}', hint, clusters=name)
    if certificate.key.startswith("RSA ") and int(certificate.key[4:]) < 2048:
        what, hint = (
            f"has a key of {certificate.key[4:]} bits",
            "issue it again for an RSA key of 2048 bits or more",
        )
        yield codes.CA_KEY_UNSUPPORTED.at(place, f'"{subject}" {what}', hint, clusters=name)


def _signing_key(ca: Certificate, generation: Generation, name: tuple[str, ...]) -> Iterator[Problem]:
    """What the key is that signs workloads; those above it only have to be verified."""
    curve = ca.key in ("ECDSA secp256r1", "ECDSA secp384r1")
    if ca.key.startswith("RSA ") or (curve and generation == "istiod"):
        return
    if generation == "classic":
        # Istio 1.0 to 1.5 copies the request's signature algorithm, always RSA, into the certificate and Go
        # refuses: "requested SignatureAlgorithm does not match private key type" (genCertTemplateFromCSR).
        what = f'"{ca.subject}" has a key of type {ca.key}, but Citadel can sign with RSA only'
        hint = "issue it again for an RSA key of 2048 bits or more"
    else:
        what = f'"{ca.subject}" has a key of type {ca.key}, but istiod knows RSA, P-256 and P-384 only'
        hint = "issue it again for an ECDSA P-256 or P-384 key, or RSA of 2048 bits or more"
    yield codes.CA_KEY_UNSUPPORTED.at(ca.place, what, hint, clusters=name)


def _chain(
    ca: Certificate, chain: Sequence[Certificate], roots: Sequence[Certificate], name: tuple[str, ...]
) -> Iterator[Problem]:
    """From the cluster's CA through its chain file to one of the roots."""
    if chain[0].fingerprint != ca.fingerprint:
        # Workloads send this file behind their certificate; istiod takes the CA's expiry from its first.
        what = "the first certificate isn't that of ca-cert.pem, the signer of workloads that send this chain"
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
                hint = "issue it from a certificate further up, or that one again with a greater path length"
                yield codes.PATH_TOO_LONG.at(ca.place, what, hint, also=(issuer.place,), clusters=name)
    anchors = {root.fingerprint for root in roots}
    for issuer in path[1:]:
        if issuer.fingerprint not in anchors:
            yield from _authority(issuer, codes.CA_UNUSABLE, name)
    yield from _path_dates(path, name)
    # A renewed or cross-signed copy differs, but has the name and key of a certificate that belongs there.
    known = {(c.subject, c.key_digest) for c in (*path, *roots)}
    for certificate in chain:
        if (certificate.subject, certificate.key_digest) not in known:
            what = f'"{certificate.subject}" has no part in the chain from "{ca.subject}" to its root'
            hint = "take it out: every workload would send it in every handshake"
            yield codes.CHAIN_UNRELATED.at(certificate.place, what, hint, clusters=name)


def _path(
    ca: Certificate, chain: Sequence[Certificate], roots: Sequence[Certificate], *, limited: bool
) -> tuple[list[Certificate], list[Certificate]]:
    """The shortest path from `ca` to a root; or an empty one, and every certificate reached, farthest first.

    Breadth first reaches each certificate with the fewest below it, which is what a path length limits.
    Everything below counts: Go counts self-issued certificates too, though RFC 5280 (6.1.4 l) doesn't.
    """
    anchors = {root.fingerprint for root in roots}
    ways, seen = [[ca]], {ca.fingerprint}
    for way in ways:  # grows under way
        if way[-1].fingerprint in anchors:
            return way, []
        for issuer in (*roots, *chain):
            too_long = limited and issuer.path_length is not None and issuer.path_length < len(way)
            if issuer.fingerprint not in seen and not too_long and _issued(way[-1], issuer):
                seen.add(issuer.fingerprint)
                ways.append([*way, issuer])
    return [], [way[-1] for way in reversed(ways)]


def _issued(child: Certificate, issuer: Certificate) -> bool:
    return (
        child.x509.issuer == issuer.x509.subject
        and not _ids_differ(child, issuer)
        and signed_by(child, issuer)
    )


def _ids_differ(child: Certificate, issuer: Certificate) -> bool:
    """OpenSSL and BoringSSL (Envoy) take no such issuer, even when its key fits; Go (istiod) does."""
    return bool(child.issuer_key_id and issuer.key_id) and child.issuer_key_id != issuer.key_id


def _broken(
    ends: Sequence[Certificate],
    chain: Sequence[Certificate],
    roots: Sequence[Certificate],
    name: tuple[str, ...],
) -> Problem:
    """Why nothing leads to a root, told of the end that comes closest: a foreign root before all others."""
    end = next((c for c in ends if c.self_issued), ends[0])
    namesakes = [c for c in (*roots, *chain) if c.subject == end.issuer and c.fingerprint != end.fingerprint]
    if other := next((c for c in namesakes if _ids_differ(end, c) and signed_by(end, c)), None):
        what = f'"{end.subject}" names its issuer "{other.subject}" by a key identifier that isn\'t its own'
        hint = "issue it again with the issuer's identifier: Envoy goes by it"
        return codes.CHAIN_BROKEN.at(end.place, what, hint, also=(other.place,), clusters=name)
    root = next((r for r in roots if r.subject == end.issuer), None)
    if root or end.self_issued:
        hint = "issue it again from the common root, or add its own root to root-cert.pem of the whole mesh"
        what = f'the chain ends in "{end.subject}"' if end.self_issued else f'the root above "{end.subject}"'
        if root is None:
            what += f", which root-cert.pem doesn't hold: its SHA-256 is {end.fingerprint}"
        elif end.self_issued:
            what += ", whose subject is equal to that of a root in root-cert.pem but whose key differs: "
            what += f"SHA-256 {end.fingerprint} here, {root.fingerprint} there"
        else:
            what += (
                f' has the subject "{root.subject}", which is equal to that of a root in root-cert.pem, but'
            )
            what += f" its key differs: SHA-256 {end.fingerprint} isn't signed by {root.fingerprint}"
        also = (root or roots[0]).place
        return codes.ROOT_DIFFERS.at(end.place, what, hint, also=(also,), clusters=name)
    if namesakes:
        what = f'"{end.subject}" isn\'t signed by the key of "{end.issuer}" that stands in cert-chain.pem'
        hint = "put the certificate of the CA that signed it there"
        return codes.CHAIN_BROKEN.at(end.place, what, hint, also=(namesakes[0].place,), clusters=name)
    what = f'the issuer of "{end.subject}", "{end.issuer}", is neither in cert-chain.pem nor in root-cert.pem'
    return codes.CHAIN_BROKEN.at(end.place, what, "add its certificate to cert-chain.pem", clusters=name)


def _path_dates(path: Sequence[Certificate], name: tuple[str, ...]) -> Iterator[Problem]:
    for issued, issuer in pairwise(path):
        outside = []
        if issued.not_before < issuer.not_before:
            began = _time(issuer.not_before)
            outside.append(f"begins on {_time(issued.not_before)}, before its issuer on {began}")
        if issued.not_after > issuer.not_after:
            ended = _time(issuer.not_after)
            outside.append(f"ends on {_time(issued.not_after)}, after its issuer on {ended}")
        if outside:
            what = f'"{issued.subject}" {" and ".join(outside)}'
            hint = "issue it again with dates inside its issuer's, or renew the issuer"
            yield codes.OUTSIDE_ISSUER_DATES.at(issued.place, what, hint, also=(issuer.place,), clusters=name)
    begin, end = max(c.not_before for c in path), min(c.not_after for c in path)
    if begin >= end and all(c.not_before < c.not_after for c in path):
        what = f'the chain of "{path[0].subject}" is never valid: a part of it ends before another begins'
        hint = "issue its certificates again with dates that overlap"
        yield codes.DATES_IMPOSSIBLE.at(path[0].place, what, hint, clusters=name)


def _shared_keys(
    signers: Iterable[tuple[str, Certificate]], roots: Iterable[Certificate]
) -> Iterator[Problem]:
    told = {root.key_digest for root in roots}  # as ROOT_USED_AS_CA
    first: dict[str, tuple[str, Certificate]] = {}
    for cluster, ca in signers:
        other, same = first.setdefault(ca.key_digest, (cluster, ca))
        if same is not ca and ca.key_digest not in told:
            what = f'"{other}" and "{cluster}" sign with the same key'
            hint = "make a key and a CA for each cluster, so that one can be replaced without the other"
            yield codes.KEY_SHARED.at(ca.place, what, hint, also=(same.place,), clusters=(other, cluster))


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

"""Verifies the CA of every cluster against the common root, from public certificates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc import codes
from meshc.errors import Place
from meshc.generation import Generation
from meshc.trust.alone import WEAK, check_alone, check_authority, check_signing_key
from meshc.trust.certificates import read, signed_by
from meshc.trust.chain import check_chain

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.trust.certificates import Certificate
    from meshc.trust.names import Leaf


@dataclass(frozen=True, slots=True)
class ClusterFiles:
    """The files of one cluster: name (for messages) and bytes of each file, None if it is missing; and the certificates
    that its CA signs."""

    cluster: str
    ca_cert: tuple[str, bytes] | None
    cert_chain: tuple[str, bytes] | None
    leaves: tuple[Leaf, ...]


def verify(root: tuple[str, bytes], clusters: Sequence[ClusterFiles], *, generation: Generation) -> list[Problem]:
    """Every problem of the mesh's certificates, in the order of files.

    Dates are compared with each other, never with a clock. Never raises, for any bytes.
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
            what, hint = "this certificate is here a second time", "remove one of the two"
            yield codes.ROOT_TWICE.at(root.place, what, hint, also=(same.place,))
            continue
        first[root.fingerprint] = root
        hint = "put the certificate of the root itself there"
        if not root.self_issued:
            what = f'"{root.subject}" isn\'t a root: its issuer is "{root.issuer}"'
            yield codes.ROOT_UNUSABLE.at(root.place, what, hint)
        elif root.signature_hash not in WEAK and not signed_by(root, root):
            what = f'"{root.subject}" isn\'t a root: it names itself as issuer, but another key has signed it'
            yield codes.ROOT_UNUSABLE.at(root.place, what, hint)
        yield from check_alone(root, ())
        yield from check_authority(root, codes.ROOT_UNUSABLE, ())


def _cluster(
    files: ClusterFiles, roots: Sequence[Certificate], generation: Generation
) -> tuple[Certificate | None, list[Problem]]:
    """The certificate that a cluster signs with, if it can be read, and the cluster's problems."""
    name, found = (files.cluster,), [*_incomplete(files)]
    authorities, ca_faults = read(*files.ca_cert, name) if files.ca_cert else ((), ())
    chain, chain_faults = read(*files.cert_chain, name) if files.cert_chain else ((), ())
    found += [*ca_faults, *chain_faults]
    if len(authorities) > 1:
        what = f"this file contains {len(authorities)} certificates, but istiod and Citadel read only the first"
        hint = "keep only the cluster's own CA there; its issuers belong in cert-chain.pem"
        found.append(codes.CA_CERT_NOT_SINGLE.at(authorities[1].place, what, hint, clusters=name))
    for certificate in {c.fingerprint: c for c in (*chain, *authorities)}.values():
        found += check_alone(certificate, name)
    if not authorities or ca_faults:
        return None, found
    ca = authorities[0]
    found += check_authority(ca, codes.CA_UNUSABLE, name)
    found += check_signing_key(ca, generation, name)
    if ca.key_digest in {root.key_digest for root in roots}:
        what = f'the root itself is used as intermediate of "{files.cluster}"'
        hint = "issue an intermediate for the cluster, and keep the root's key out of every cluster"
        found.append(codes.ROOT_USED_AS_CA.at(ca.place, what, hint, clusters=name))
    # A chain with a signature that nobody verifies would look broken besides.
    weak = any(problem.code is codes.SIGNATURE_WEAK for problem in found)
    if roots and chain and not chain_faults and not weak:
        found += check_chain(ca, chain, roots, name, files.leaves)
    return ca, found


def _incomplete(files: ClusterFiles) -> Iterator[Problem]:
    for there, other, missing in (
        (files.ca_cert, files.cert_chain, "cert-chain.pem"),
        (files.cert_chain, files.ca_cert, "ca-cert.pem"),
    ):
        if there and not other:
            what = f'"{files.cluster}" has this file but no {missing}'
            hint = "add it: Istio's CA doesn't start with an incomplete set"
            yield codes.CERTIFICATE_PAIR_INCOMPLETE.at(Place(there[0]), what, hint, clusters=(files.cluster,))


def _shared_keys(signers: Iterable[tuple[str, Certificate]], roots: Iterable[Certificate]) -> Iterator[Problem]:
    told = {root.key_digest for root in roots}  # as ROOT_USED_AS_CA
    first: dict[str, tuple[str, Certificate]] = {}
    for cluster, ca in signers:
        other, same = first.setdefault(ca.key_digest, (cluster, ca))
        if same is not ca and cluster != other and ca.key_digest not in told:
            what = f'"{other}" and "{cluster}" sign with the same key'
            hint = "make a key and a CA for each cluster, so that one can be replaced without the other"
            yield codes.KEY_SHARED.at(ca.place, what, hint, also=(same.place,), clusters=(other, cluster))

"""Checks one certificate by itself, without its issuer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from meshc import codes

if TYPE_CHECKING:
    from meshc.errors import Code, Problem
    from meshc.trust.certificates import Certificate

from meshc.generation import Generation

SAMPLE_KEYS: Mapping[str, str] = {
    "42d8cfd1102e06e3f2579e68f9db4f787ec9cbcd1f19f1bae7934cee918c2fef": "ca-cert.pem",
    "f0592d4d660052580d0c0bfe09f9a4d795ad8ab7c2fa86c33276fbb352145ee5": "root-cert.pem",
    "88e809261b157f0db238901c0033e6bfeba79793c20ab8af41963cdd41ce6600": "ca-cert-alt.pem",
    "7c5f2208b98507d0d6f1fda0a6609e93fbb7fb434d39ed78b71e305e23d7a46d": "ca-cert-alt-2.pem",
    "42d0f6531c3afb84b72f12f458fa35dc74402771fed9b27ad48a665474dde501": "root-cert-alt.pem",
}
"""SHA-256 of the public keys of Istio's samples/certs, so that a renewed certificate is recognised too.

The private keys of the three CAs are published there, so their two roots protect nothing.
"""

_SERVER, _CLIENT = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"
_LONGEST_RSA = 8192
"""Bits: crypto/tls refuses a chain with more, and proxies' agents read the chain that istiod sends."""
_VERIFIED = ("RSA ", "ECDSA ", "Ed25519")
"""Kinds of keys with which Go verifies signatures. Go can't read keys on other curves."""
WEAK = ("md5", "sha1")  # Go refuses both, BoringSSL MD5


def check_alone(certificate: Certificate, name: tuple[str, ...]) -> Iterator[Problem]:
    """Checks that need only the certificate, not its issuer."""
    place, subject = certificate.place, certificate.subject
    if sample := SAMPLE_KEYS.get(certificate.key_digest):
        what = f"this is Istio's public sample samples/certs/{sample}: everyone has its private key"
        yield codes.SAMPLE_CA.at(place, what, "make your own root and intermediates", clusters=name)
    if certificate.not_before >= certificate.not_after:
        begin, end = shown_time(certificate.not_before), shown_time(certificate.not_after)
        what = f'"{subject}" is never valid: it begins on {begin} and ends on {end}'
        yield codes.DATES_IMPOSSIBLE.at(place, what, "issue it again with dates in order", clusters=name)
    # A root is trusted as it is: nobody checks its own signature (RFC 5280, 6.1).
    if certificate.signature_hash in WEAK and not certificate.self_issued:
        what = f'"{subject}" is signed with {certificate.signature_hash.upper()}, which Go refuses, and so does istiod'
        yield codes.SIGNATURE_WEAK.at(place, what, "issue it again with SHA-256", clusters=name)
    elif not certificate.signature_known and not certificate.self_issued:
        what = f'"{subject}" has a kind of signature that Go doesn\'t know, so neither istiod nor proxies can verify it'
        hint = "issue it again with RSA or ECDSA and SHA-256, SHA-384 or SHA-512"
        yield codes.SIGNATURE_WEAK.at(place, what, hint, clusters=name)


def check_authority(certificate: Certificate, code: Code, name: tuple[str, ...]) -> Iterator[Problem]:
    """Checks for every CA of a path: root, intermediate or signer (RFC 5280, 6.1.4 k and n)."""
    place, subject = certificate.place, certificate.subject
    if not certificate.is_ca:
        what, hint = "isn't a CA: it lacks CA:TRUE", "issue it again with basicConstraints CA:TRUE"
        yield code.at(place, f'"{subject}" {what}', hint, clusters=name)
    if not certificate.may_sign:
        what, hint = "may not sign: its keyUsage lacks keyCertSign", "issue it again with keyCertSign"
        yield code.at(place, f'"{subject}" {what}', hint, clusters=name)
    purposes = certificate.purposes
    if purposes is not None and not {_SERVER, _CLIENT} <= purposes:
        # Go requires serverAuth when istiod loads the CA; Envoy requires both, because in mutual TLS workloads are
        # client and server. OpenSSL and BoringSSL read anyExtendedKeyUsage in a CA as neither.
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
            f"has a critical extension that Istio's CA and Envoy refuse: {oids}",
            "issue it again without that extension",
        )
        yield code.at(place, f'"{subject}" {what}', hint, clusters=name)
    if certificate.key.startswith("RSA ") and not 2048 <= int(certificate.key[4:]) <= _LONGEST_RSA:
        what, hint = (
            f"has a key of {certificate.key[4:]} bits",
            f"issue it again for an RSA key of 2048 to {_LONGEST_RSA} bits: Go refuses longer ones in a handshake"
            if int(certificate.key[4:]) > _LONGEST_RSA
            else "issue it again for an RSA key of 2048 bits or more",
        )
        yield codes.CA_KEY_UNSUPPORTED.at(place, f'"{subject}" {what}', hint, clusters=name)
    if not certificate.key.startswith(_VERIFIED):
        what = f'"{subject}" has a key of type {certificate.key}, which Go can\'t use to verify signatures'
        hint = "issue it again for an ECDSA P-256 or P-384 key, or RSA of 2048 bits or more"
        yield codes.CA_KEY_UNSUPPORTED.at(place, what, hint, clusters=name)


def check_signing_key(ca: Certificate, generation: Generation, name: tuple[str, ...]) -> Iterator[Problem]:
    """Checks the key of the CA that signs workloads. The keys of CAs above it only need to be verifiable."""
    curve = ca.key in ("ECDSA secp256r1", "ECDSA secp384r1")
    if ca.key.startswith("RSA ") or (curve and generation.signs_with_ecdsa) or not ca.key.startswith(_VERIFIED):
        return  # the last is reported for every authority
    if not generation.signs_with_ecdsa:
        # Istio 1.0 to 1.5 copies the request's signature algorithm, always RSA, into the certificate and Go
        # refuses: "requested SignatureAlgorithm does not match private key type" (genCertTemplateFromCSR).
        what = f'"{ca.subject}" has a key of type {ca.key}, but Citadel can sign with RSA only'
        hint = "issue it again for an RSA key of 2048 bits or more"
    else:
        what = f'"{ca.subject}" has a key of type {ca.key}, but istiod supports only RSA, P-256 and P-384'
        hint = "issue it again for an ECDSA P-256 or P-384 key, or RSA of 2048 bits or more"
    yield codes.CA_KEY_UNSUPPORTED.at(ca.place, what, hint, clusters=name)


def shown_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

"""The only reader of certificates: parses a PEM file into `Certificate`s, or into problems."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID

from meshc import codes
from meshc.errors import Place
from meshc.trust import signatures
from meshc.trust.blocks import blocks
from meshc.trust.go import fault_of
from meshc.trust.private_keys import PRIVATE_KEY, is_private_key, private_key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cryptography.x509 import GeneralName, NameConstraints

    from meshc.errors import Problem

_FAULTS = (
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""The exceptions of cryptography for unusual certificates, at load or at the first use of a field."""


_MAY_BE_CRITICAL = frozenset(
    {
        ExtensionOID.KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.NAME_CONSTRAINTS,
    }
)
"""Extensions that both Go and BoringSSL (Envoy) act on; any other that is critical makes one of them refuse."""

_NAMES = (x509.DNSName, x509.UniformResourceIdentifier, x509.RFC822Name, x509.IPAddress)


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate of a file. Every field is parsed already, so nothing about it can raise later."""

    place: Place
    x509: x509.Certificate
    fingerprint: str
    key_digest: str
    """SHA-256 of the SubjectPublicKeyInfo, in hex: equal for equal keys, whatever certificate holds them."""
    key: str
    """The kind of key, such as `RSA 2048`, `ECDSA secp256r1` or `Ed25519`."""
    subject: str
    issuer: str
    self_issued: bool
    not_before: datetime
    not_after: datetime
    signature_hash: str
    signature_known: bool
    """True if Go supports the kind of its signature."""
    is_ca: bool
    path_length: int | None
    may_sign: bool
    """True if the key usage is missing or contains keyCertSign."""
    purposes: frozenset[str] | None
    """The OIDs of extended key usage; None means any purpose."""
    key_id: bytes | None
    issuer_key_id: bytes | None
    unknown_critical: tuple[str, ...]
    names: tuple[GeneralName, ...]
    """Its alternative names."""
    constraints: NameConstraints | None
    explicit_policy: int | None
    """The number of CAs below it after which policies are required (requireExplicitPolicy); no certificate of Istio has
    policies."""
    fault: str | None
    """Why Go can't read it, as the end of a sentence."""


def read(
    file: str, data: bytes, clusters: Iterable[str] = (), *, lenient: bool = False
) -> tuple[tuple[Certificate, ...], tuple[Problem, ...]]:
    """The certificates of a PEM file, and its problems.

    `lenient` also accepts certificates that Go refuses: only to show a certificate, never to trust it.

    Strict: a file may contain only CERTIFICATE blocks and white space, because Go, BoringSSL and OpenSSL each skip
    something different around blocks. No problem ever quotes the file. Never raises.
    """
    clusters = tuple(clusters)
    if key := PRIVATE_KEY.search(data):
        place = Place(file, data.count(b"\n", 0, key.start()) + 1, 1)
        return (), (private_key(place, clusters),)
    certificates: list[Certificate] = []
    problems: list[Problem] = []
    for line, block in blocks(data):
        place = Place(file, line, 1)
        if isinstance(block, bytes):
            certificate = _parse(place, block)
            if certificate is not None and certificate.fault and not lenient:
                what = f'istiod and the proxies can\'t read "{certificate.subject}": {certificate.fault}'
                hint = "issue it again with software that follows RFC 5280, such as meshc ca issue or openssl"
                problems.append(codes.CERTIFICATE_REFUSED.at(place, what, hint, clusters=clusters))
            elif certificate is not None:
                certificates.append(certificate)
            elif is_private_key(block):
                problems.append(private_key(place, clusters))
            else:
                what, hint = (
                    "this block isn't a certificate that meshc can read",
                    "export the certificate again, as PEM",
                )
                problems.append(codes.CERTIFICATE_UNREADABLE.at(place, what, hint, clusters=clusters))
        else:
            problems.append(codes.CERTIFICATE_UNREADABLE.at(place, *block, clusters=clusters))
    if not certificates and not problems:
        hint = "put the certificate there, as PEM"
        problems.append(codes.CERTIFICATE_UNREADABLE.at(Place(file), "the file is empty", hint, clusters=clusters))
    return tuple(certificates), tuple(problems)


def only_certificates(data: bytes) -> bool:
    """True if the bytes are only well-formed CERTIFICATE blocks and white space, and so contain no secret."""
    certificates, problems = read("", data, lenient=True)
    return bool(certificates) and not problems


def for_keys(data: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file, only for their keys; none if the file has any other content.

    Extensions aren't read: the certificate of a sealed-secrets controller has a key usage that `_settle` can't read.
    """
    found: list[x509.Certificate] = []
    for _, block in blocks(data):
        try:
            found.append(x509.load_der_x509_certificate(block if isinstance(block, bytes) else b""))
        except _FAULTS:
            return ()
    return tuple(found)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the whole certificate, as `openssl x509 -fingerprint -sha256` prints it."""
    return sha256(certificate.public_bytes(Encoding.DER)).digest().hex(":").upper()


def signed_by(child: Certificate, issuer: Certificate) -> bool:
    """True if the issuer's key signed the child, and the names match. Ignores dates and usage."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            child.x509.verify_directly_issued_by(issuer.x509)
    except (InvalidSignature, *_FAULTS):
        return False
    return True


def _parse(place: Place, der: bytes) -> Certificate | None:
    """Parses a certificate; None if it isn't one, or has an unknown kind of key."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # serial numbers, country codes: none of them decides anything here
        try:
            return replace(_settled(der), place=place)
        except _FAULTS:
            return None


@lru_cache(maxsize=4096)  # a fleet's root stands in the chain of every cluster, and several checks read each chain
def _settled(der: bytes) -> Certificate:
    """The certificate without its place. Reads every field now, because cryptography parses fields lazily."""
    certificate = x509.load_der_x509_certificate(der)
    key = certificate.public_key()
    extensions = certificate.extensions
    values = {type(extension.value): extension.value for extension in extensions}
    basic = values.get(x509.BasicConstraints)
    usage = values.get(x509.KeyUsage)
    extended = values.get(x509.ExtendedKeyUsage)
    key_id = values.get(x509.SubjectKeyIdentifier)
    issuer_key_id = values.get(x509.AuthorityKeyIdentifier)
    alternative = values.get(x509.SubjectAlternativeName)
    constraints = values.get(x509.NameConstraints)
    policies = values.get(x509.PolicyConstraints)
    return Certificate(
        Place(""),
        certificate,
        fingerprint(certificate),
        sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest(),
        _kind(key),
        _shown(certificate.subject),
        _shown(certificate.issuer),
        certificate.subject == certificate.issuer,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        certificate.signature_hash_algorithm.name if certificate.signature_hash_algorithm else "",
        signatures.is_known(der),
        is_ca=isinstance(basic, x509.BasicConstraints) and basic.ca,
        path_length=basic.path_length if isinstance(basic, x509.BasicConstraints) else None,
        may_sign=usage.key_cert_sign if isinstance(usage, x509.KeyUsage) else True,
        purposes=frozenset(o.dotted_string for o in extended) if isinstance(extended, x509.ExtendedKeyUsage) else None,
        key_id=key_id.digest if isinstance(key_id, x509.SubjectKeyIdentifier) else None,
        issuer_key_id=issuer_key_id.key_identifier if isinstance(issuer_key_id, x509.AuthorityKeyIdentifier) else None,
        unknown_critical=tuple(e.oid.dotted_string for e in extensions if e.critical and not _is_handled(e)),
        names=tuple(alternative) if isinstance(alternative, x509.SubjectAlternativeName) else (),
        constraints=constraints if isinstance(constraints, x509.NameConstraints) else None,
        explicit_policy=policies.require_explicit_policy if isinstance(policies, x509.PolicyConstraints) else None,
        fault=fault_of(certificate, der, key),
    )


def _is_handled(extension: x509.Extension[x509.ExtensionType]) -> bool:
    """True if Go and BoringSSL process an extension. They support four kinds of names, and Go supports no other kind in
    a constraint."""
    match extension.value:
        case x509.SubjectAlternativeName() as names:
            return any(isinstance(name, _NAMES) for name in names)
        case x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=excluded):
            return all(isinstance(base, _NAMES) for base in (*(permitted or ()), *(excluded or ())))
    return extension.oid in _MAY_BE_CRITICAL


def _kind(key: object) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ECDSA {key.curve.name}"
    return type(key).__name__.removesuffix("PublicKey")


def _shown(name: x509.Name) -> str:
    """A name for one line of a message: RFC 4514, shortened, without control characters."""
    text = "".join(c if c.isprintable() else "?" for c in name.rfc4514_string())
    return f"{text[:120]}..." if len(text) > 120 else text

"""Finds why Go's crypto/x509, from Go 1.25 to 1.27, can't read a certificate that cryptography can read.

istiod and every proxy's agent are written in Go, and Go silently drops a root that it can't read.
cryptography refuses most of what Go refuses; here is the rest, in the order in which Go checks it (parser.go).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtensionOID

from meshc.trust.der import OID, SEQUENCE, elements, inside
from meshc.trust.uris import host_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

_NULL, _UNCOMPRESSED, _VERSION = 0x05, 0x04, 0xA0
_INT = 2**63
_CURVES = ("secp224r1", "secp256r1", "secp384r1", "secp521r1")
_NEVER_CRITICAL = (
    ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
)
_POLICY_MAPPINGS = x509.ObjectIdentifier("2.5.29.33")
_ANY_POLICY = bytes.fromhex("551d2000")
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([^@]+)")


def fault_of(certificate: x509.Certificate, der: bytes, key: CertificatePublicKeyTypes) -> str | None:
    """Why Go doesn't read it, as the end of a sentence; None where it does. Raises ValueError for what isn't DER."""
    return next(_faults(certificate, der, key), None)


def domain_fault(domain: str, *, constraint: bool = False) -> bool:
    """True if Go doesn't accept it as a domain name. A constraint may begin with a dot, and may be empty."""
    labels = domain[constraint and domain.startswith(".") :].split(".")
    return bool(domain) and (not all(labels) or any(not "!" <= c <= "~" for c in domain))


def mailbox(address: str) -> tuple[str, str] | None:
    """The two parts of an e-mail address, the second in lower case; None if it isn't a plain address."""
    found = _MAILBOX.fullmatch(address)
    if not found or domain_fault(found[1]):
        return None
    return address[: found.start(1) - 1], found[1].lower()


def _faults(certificate: x509.Certificate, der: bytes, key: CertificatePublicKeyTypes) -> Iterator[str]:
    (_, tbs), (_, algorithm), *_ = inside(der)
    fields = elements(tbs)
    (_, serial), (_, named), (_, issuer), _, (_, subject), (_, public) = fields[fields[0][0] == _VERSION :][:6]
    if certificate.version is not x509.Version.v3 and len(certificate.extensions):
        yield "it has extensions, but isn't of version 3"
    if serial[0] & 0x80:
        yield "its serial number is negative"
    if named != algorithm:
        yield "it has two different signature algorithms, inside and outside of the signed part"
    yield from _name(issuer, certificate.issuer)
    yield from _name(subject, certificate.subject)
    yield from _key(public, key)
    for extension in certificate.extensions:
        if _wide(extension.oid):
            yield _WIDE
        if extension.critical and extension.oid in _NEVER_CRITICAL:
            yield f"its extension {extension.oid.dotted_string} is marked critical"
        yield from _extension(extension)


def _name(content: bytes, name: x509.Name) -> Iterator[str]:
    if any(_wide(attribute.oid) for attribute in name):
        yield _WIDE
    for _, part in elements(content):
        for _, attribute in elements(part):
            _, (kind, value), *_ = elements(attribute)
            if kind not in _TEXTS or not _TEXTS[kind](value):
                yield "its subject or issuer has text in an invalid encoding"


def _wide_points(value: bytes) -> bool:
    """True if it is UCS-2 with valid characters; a NUL at the end is allowed."""
    value = value.removesuffix(b"\0\0") if len(value) % 2 == 0 else b"?"
    points = [int.from_bytes(value[at : at + 2], "big") for at in range(0, len(value), 2)]
    return len(value) % 2 == 0 and not any(
        point in (0xFFFE, 0xFFFF) or 0xFDD0 <= point <= 0xFDEF or 0xD800 <= point <= 0xDFFF for point in points
    )


def _utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


_TEXTS: Mapping[int, Callable[[bytes], object]] = {
    0x0C: _utf8,
    0x12: re.compile(rb"[0-9 ]*").fullmatch,
    0x13: re.compile(rb"[A-Za-z0-9'()+,\-./ :=?*&]*").fullmatch,
    0x14: lambda value: True,
    0x16: bytes.isascii,
    0x1E: _wide_points,
}
"""The types of text that every version of Go reads in a name, and the allowed characters of each."""


def _key(content: bytes, key: CertificatePublicKeyTypes) -> Iterator[str]:
    (_, algorithm), (_, bits), *_ = elements(content)
    _, *parameters = elements(algorithm)
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        if parameters != [(_NULL, b"")]:
            yield "its RSA key lacks the NULL that the standard asks for"
        if not numbers.e % 2 or not 1 < numbers.e < 2**31 or not numbers.n % 2:
            yield "its RSA key has an invalid exponent or modulus"
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in _CURVES or [tag for tag, _ in parameters] != [OID]:
            yield f"its key is on a curve that Go doesn't know ({key.curve.name})"
        if bits[1] != _UNCOMPRESSED:
            yield "its key is a compressed point"


def _extension(extension: x509.Extension[x509.ExtensionType]) -> Iterator[str]:
    match extension.value:
        case x509.BasicConstraints(path_length=int(number)) if number >= _INT:
            yield "its path length is too large"
        case x509.SubjectAlternativeName() as names:
            yield from (fault for name in names if (fault := _alternative(name)))
        case x509.NameConstraints() as constraints:
            yield from _constraints(constraints)
        case x509.CertificatePolicies() as policies:
            if len({policy.policy_identifier for policy in policies}) < len(list(policies)):
                yield "it has a policy twice"
        case x509.ExtendedKeyUsage() as usages:
            yield from (_WIDE for usage in usages if _wide(usage))
        case x509.AuthorityInformationAccess() as ways:
            yield from (_WIDE for way in ways if _wide(way.access_method))
        case x509.CRLDistributionPoints() as points:
            if any(point.relative_name for point in points):
                yield "it names a revocation list relative to its issuer"
        case x509.PolicyConstraints(require_explicit_policy=explicit, inhibit_policy_mapping=inhibit):
            if max(explicit or 0, inhibit or 0) >= _INT:
                yield "a number of its policy constraints is too large"
        case x509.InhibitAnyPolicy(skip_certs=number) if number >= _INT:
            yield "the number of its extension inhibitAnyPolicy is too large"
        case x509.UnrecognizedExtension(value=value) if extension.oid == _POLICY_MAPPINGS:
            yield from _mappings(value)


def _mappings(value: bytes) -> Iterator[str]:
    """cryptography doesn't look into this extension."""
    try:
        pairs = [(tag, elements(mapping)[:2]) for tag, mapping in inside(value)]
    except ValueError:
        pairs = [(0, [])]
    if any(tag != SEQUENCE or [kind for kind, _ in pair] != [OID, OID] for tag, pair in pairs):
        yield "its policy mappings aren't pairs of policies"
    if any((OID, _ANY_POLICY) in pair for _, pair in pairs):
        yield "its policy mappings name anyPolicy"


def _alternative(name: x509.GeneralName) -> str | None:
    match name:
        case x509.UniformResourceIdentifier(value=uri) if (host := host_of(uri)) is None or domain_fault(host):
            return "an alternative name isn't a URI"
        case x509.IPAddress(value=IPv6Address(ipv4_mapped=mapped)) if mapped:
            return "an alternative name is an IPv4 address written as IPv6"
    return None


def _constraints(value: x509.NameConstraints) -> Iterator[str]:
    bases = [*(value.permitted_subtrees or ()), *(value.excluded_subtrees or ())]
    yield from ("a name constraint isn't well-formed" for base in bases if _malformed(base))


def _malformed(base: x509.GeneralName) -> bool:
    match base:
        case x509.DNSName(value=domain):
            return domain_fault(domain, constraint=True)
        case x509.UniformResourceIdentifier(value=domain):
            return _is_address(domain) or domain_fault(domain, constraint=True)
        case x509.RFC822Name(value=address):
            return mailbox(address) is None if "@" in address else domain_fault(address, constraint=True)
        case x509.IPAddress(value=IPv6Network(network_address=address)):
            return address.ipv4_mapped is not None
    return False


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


_WIDE = "it has an object identifier with a number of more than 31 bits"


def _wide(oid: x509.ObjectIdentifier) -> bool:
    first, second, *others = map(int, oid.dotted_string.split("."))
    return max((first * 40 + second, *others)) >= 2**31

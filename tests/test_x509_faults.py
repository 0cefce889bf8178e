"""Each fault that Go finds in a certificate and cryptography doesn't, alone: Go refuses it, and meshc says why."""

from __future__ import annotations

import base64
from collections.abc import Callable
from ipaddress import ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from meshc.trust.certificates import read
from support.der_trees import Node, read_tree
from support.throwaway import KeyType, make_root
from support.verifier import judge

pytestmark = pytest.mark.thorough

VERSION, SERIAL, ALGORITHM, ISSUER, _, SUBJECT, KEY = range(7)
TEXT = "its subject or issuer has text in an invalid encoding"
CONSTRAINT = "a name constraint isn't well-formed"
WIDE = "it has an object identifier with a number of more than 31 bits"


def edited(edit: Callable[[list[Node]], object], key: KeyType = "P-256") -> bytes:
    """A root with its fields changed, not signed again: reading doesn't ask for that."""
    (tree,) = read_tree(make_root(key=key).cert.public_bytes(Encoding.DER)) or []
    body, *_ = tree.parts or []
    assert body.parts
    edit(body.parts)
    return tree.encoded()


def within(fields: list[Node], *path: int) -> Node:
    node = fields[path[0]]
    for at in path[1:]:
        assert node.parts
        node = node.parts[at]
    return node


def content(*path: int, data: bytes, tag: int | None = None) -> Callable[[list[Node]], None]:
    def edit(fields: list[Node]) -> None:
        node = within(fields, *path)
        node.parts, node.content, node.tag = None, data, node.tag if tag is None else tag

    return edit


def extended(value: x509.ExtensionType, critical: bool = False) -> bytes:
    return make_root(extra=((value, critical),)).cert.public_bytes(Encoding.DER)


def raw(oid: x509.ObjectIdentifier | str, data: bytes) -> bytes:
    return extended(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid) if isinstance(oid, str) else oid, data))


def permitted(base: x509.GeneralName) -> bytes:
    return extended(x509.NameConstraints([base], None))


def without_null(fields: list[Node]) -> None:
    parameters = within(fields, KEY, 0).parts
    assert parameters
    parameters.pop()


def compressed(fields: list[Node]) -> None:
    point = make_root().key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    content(KEY, 1, data=b"\0" + point)(fields)


BIG = x509.ObjectIdentifier("1.2.2147483648")
MAIL, URI, DNS = x509.RFC822Name, x509.UniformResourceIdentifier, x509.DNSName
NAME = (SUBJECT, 0, 0, 1)
REFUSED: dict[str, tuple[bytes, str]] = {
    "negative serial": (edited(content(SERIAL, data=b"\xff")), "its serial number is negative"),
    "two algorithms": (
        edited(content(ALGORITHM, 0, data=bytes.fromhex("2a8648ce3d040303"))),
        "it has two different signature algorithms, inside and outside of the signed part",
    ),
    "NumericString": (edited(content(*NAME, data=b"a", tag=0x12)), TEXT),
    "a surrogate in a BMPString": (edited(content(*NAME, data=b"\xff\xfe", tag=0x1E)), TEXT),
    "RSA without NULL": (edited(without_null, "RSA-2048"), "its RSA key lacks the NULL that the standard asks for"),
    "a compressed point": (edited(compressed), "its key is a compressed point"),
    "a path length of 64 bits": (
        make_root(path_length=2**63).cert.public_bytes(Encoding.DER),
        "its path length is too large",
    ),
    "a key identifier that is critical": (
        make_root(ski=False, extra=((x509.SubjectKeyIdentifier(b"a"), True),)).cert.public_bytes(Encoding.DER),
        "its extension 2.5.29.14 is marked critical",
    ),
    "a DNS constraint": (permitted(DNS("a..b")), CONSTRAINT),
    "a URI constraint": (permitted(URI("10.0.0.1")), CONSTRAINT),
    "a constraint on mail": (permitted(MAIL("a..b@c")), CONSTRAINT),
    "a constraint on addresses": (permitted(x509.IPAddress(ip_network("::ffff:0:0/100"))), CONSTRAINT),
    "a policy twice": (
        extended(x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), None)] * 2)),
        "it has a policy twice",
    ),
    "policy constraints": (
        extended(x509.PolicyConstraints(2**63, None)),
        "a number of its policy constraints is too large",
    ),
    "an OID of a purpose": (extended(x509.ExtendedKeyUsage([BIG])), WIDE),
    "an OID of an extension": (raw("1.2.2147483648", b""), WIDE),
    "an OID of a way": (
        extended(x509.AuthorityInformationAccess([x509.AccessDescription(BIG, URI("http://a"))])),
        WIDE,
    ),
    "policy mappings": (raw("2.5.29.33", b"x"), "its policy mappings aren't pairs of policies"),
    "a URI": (extended(x509.SubjectAlternativeName([URI("http://a%zz/")])), "an alternative name isn't a URI"),
    "a host": (extended(x509.SubjectAlternativeName([URI("http://a./")])), "an alternative name isn't a URI"),
}

STRICTER: dict[str, tuple[bytes, str]] = {
    "anyPolicy in a mapping": (
        raw("2.5.29.33", bytes.fromhex("300c300a0604551d200006022a03")),
        "its policy mappings name anyPolicy",
    ),
    "extensions of version 1": (
        edited(lambda fields: fields.pop(VERSION)),
        "it has extensions, but isn't of version 3",
    ),
    "an exponent of 33 bits": (
        edited(content(KEY, 1, 0, 1, data=b"\x01\0\0\0\x01"), "RSA-2048"),
        "its RSA key has an invalid exponent or modulus",
    ),
}
"""What Go reads, and then refuses where it counts."""


def said(der: bytes) -> str:
    begin, end = b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n"
    _, (problem,) = read("ca.pem", begin + base64.encodebytes(der) + end)
    _, _, why = problem.what.rpartition('": ')
    return f"{problem.code.id} {why}"


@pytest.mark.parametrize("fault", REFUSED | STRICTER)
def test_fault(fault: str) -> None:
    der, expected = (REFUSED | STRICTER)[fault]

    assert said(der) == f"MESH321 {expected}"


def test_go_refuses_each_of_them() -> None:
    verdicts = judge((der, (), (), ()) for der, _ in (REFUSED | STRICTER).values())
    read_by_go = [fault for fault, verdict in zip(REFUSED | STRICTER, verdicts, strict=True) if not verdict.fault]

    assert read_by_go == list(STRICTER)

"""Chains made by chance: CAs with odd extensions, keys and names, and with faults of encoding, each properly signed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address, ip_network
from random import Random
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from cryptography.x509.oid import ObjectIdentifier as Oid

from support.der_trees import Node, damage, read_tree

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
DOMAINS = ["", "cluster.local", "local", ".local", ".cluster.local", "svc", "istio-system.svc", ".istio-system.svc"]
DOMAINS += [
    "istiod.istio-system.svc",
    "CLUSTER.LOCAL",
    "example.com",
    "a..b",
    "a.",
    "x y",
    "10.0.0.1",
    "_a.svc",
    "*.svc",
]
URIS = ["spiffe://cluster.local/ns/a/sa/b", "spiffe://CLUSTER.local", "urn:uuid:1", "spiffe:///a", "http://a:80/", "/a"]
URIS += [
    "http://10.0.0.1/",
    "http://[::1]/",
    "http://a%41/",
    "http://a:b/",
    "http://a./",
    "a b:c",
    "http://u@b.local?x#y",
    "",
]
MAILS = ["a@cluster.local", "a.b@example.com", "a..b@c", "@", "a", '"a b"@c.d', "a@b@c", "a@b."]


@dataclass
class Made:
    """A certificate in DER with its key, None for a key that only a test of reading needs."""

    der: bytes
    key: Any

    @property
    def subject(self) -> Node | None:
        """As it is encoded, faults and all; None where there is none left."""
        tree = read_tree(self.der)
        parts = (tree[0].parts or []) if tree else []
        fields = [part for part in (parts[0].parts or []) if part.tag != 0xA0] if parts else []
        return fields[4] if len(fields) > 4 else None


@dataclass
class Chain:
    """What a cluster gets, and what its CA signed: istiod's certificate, and a workload's."""

    roots: list[bytes]
    ca: bytes
    chain: list[bytes]
    leaves: list[bytes]


_CURVES: dict[str, ec.EllipticCurve] = {
    "P-224": ec.SECP224R1(),
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "K-256": ec.SECP256K1(),
}


@cache
def key_of(kind: str, number: int = 0) -> Any:
    if kind in _CURVES:
        return ec.generate_private_key(_CURVES[kind])
    if kind.startswith("RSA-"):
        return rsa.generate_private_key(3 if number == 3 else 65537, int(kind[4:]))
    if kind == "DSA":
        return dsa.generate_private_key(1024)
    return (ed25519.Ed25519PrivateKey if kind == "Ed25519" else ed448.Ed448PrivateKey).generate()


def chain(chance: Random, leaves: Sequence[Sequence[x509.GeneralName]]) -> Chain:
    """A root, up to two CAs below it, and a cluster's CA; about half of them with one fault of encoding."""
    faults = chance.choice([0, 0, 0, 0, 1, 1, 2])
    length = chance.choice([2, 2, 2, 3, 3, 4])
    bad = [chance.randrange(length) for _ in range(faults)]
    path = [_authority(chance, 0, None, 0 in bad)]
    for at in range(1, length):
        path.append(_authority(chance, at, path[-1], at in bad))
    roots, signer = [path[0].der], path[-1]
    if chance.random() < 0.1:
        roots.append(_authority(chance, 7, None, chance.random() < 0.5).der)
    links = [made.der for made in reversed(path[1:])] + ([path[0].der] if chance.random() < 0.7 else [])
    return Chain(roots, signer.der, links, [_leaf(signer, names) for names in leaves])


def _authority(chance: Random, number: int, issuer: Made | None, faulty: bool) -> Made:
    while True:
        try:
            return _tried(chance, number, issuer, faulty)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue  # what the builder doesn't make


def _tried(chance: Random, number: int, issuer: Made | None, faulty: bool) -> Made:
    odd = chance.random() < 0.3
    kind = chance.choice(_KINDS) if chance.random() < 0.07 else "P-256"
    key = key_of(kind, 3 if chance.random() < 0.1 and kind == "RSA-2048" else 2 * number + (chance.random() < 0.3))
    signer = issuer.key if issuer else key
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Istio"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"CA {number}"),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(chance.getrandbits(120) + 1)
        .not_valid_before(START)
        .not_valid_after(END)
    )
    for extension, critical in _extensions(chance, odd):
        builder = builder.add_extension(extension, critical)
    digest: Any = None if isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else hashes.SHA256()
    style: Any = None
    if digest and chance.random() < 0.04:
        digest = chance.choice([hashes.SHA224(), hashes.SHA384(), hashes.SHA512(), hashes.SHA3_256(), hashes.SHA512()])
        if isinstance(signer, rsa.RSAPrivateKey) and chance.random() < 0.7:
            salt = chance.choice([digest.digest_size, 20])
            style = padding.PSS(padding.MGF1(chance.choice([digest, hashes.SHA256()])), salt)
    made = builder.sign(signer, digest, rsa_padding=style) if style else builder.sign(signer, digest)
    (tree,) = read_tree(made.public_bytes(Encoding.DER)) or []
    body = (tree.parts or [])[0]
    if issuer and (above := issuer.subject):
        (body.parts or [])[3] = above
    if faulty:
        damage(body if chance.random() < 0.95 else tree, chance)
        _keep_key(tree.encoded(), key)
    return Made(_signed(tree, signer, digest, style), key)


def _keep_key(der: bytes, key: Any) -> None:
    """Raises ValueError for a certificate of another key: what the key signs wouldn't be under it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = x509.load_der_x509_certificate(der).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        return
    if found != key.public_key():
        raise ValueError("another key")


def _signed(tree: Node, key: Any, digest: Any, style: Any = None) -> bytes:
    """The certificate with a new signature over what it says now."""
    parts = tree.parts or []
    if len(parts) != 3:
        return tree.encoded()
    body = parts[0].encoded()
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(body, style or padding.PKCS1v15(), digest)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        signature = key.sign(body, ec.ECDSA(digest))
    elif isinstance(key, dsa.DSAPrivateKey):
        signature = key.sign(body, digest)
    else:
        signature = key.sign(body)
    parts[2] = Node(0x03, b"\0" + signature)
    return tree.encoded()


def _leaf(signer: Made, names: Sequence[x509.GeneralName]) -> bytes:
    """As istiod issues: an empty subject, a critical SAN, both purposes."""
    key, name = signer.key, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else hashes.SHA256()
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(name)
        .public_key(key_of("P-256", 99).public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(END)
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .add_extension(x509.ExtendedKeyUsage(both), critical=False)
        .sign(key, digest)
    )
    (tree,) = read_tree(made.public_bytes(Encoding.DER)) or []
    if above := signer.subject:
        ((tree.parts or [])[0].parts or [])[3] = above
    try:
        x509.load_der_x509_certificate(tree.encoded())
    except ValueError:
        return made.public_bytes(Encoding.DER)  # its issuer can't be read, so neither could the leaf
    return _signed(tree, key, digest)


_KINDS = ["P-384", "P-521", "P-224", "K-256", "Ed25519", "Ed448", "RSA-1024", "RSA-2048", "RSA-2048", "DSA"]
_USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")


def _extensions(chance: Random, odd: bool) -> list[tuple[x509.ExtensionType, bool]]:
    """What a CA carries; where `odd`, a few that most CAs don't, and some that are wrong."""
    length = chance.choice([0, 1, 2, 3]) if chance.random() < 0.12 else None
    found: list[tuple[x509.ExtensionType, bool]] = []
    if chance.random() < 0.99:
        ca = chance.random() < 0.99
        found.append((x509.BasicConstraints(ca, length if ca else None), chance.random() < 0.9))
    if chance.random() < 0.9:
        usage = dict.fromkeys((*_USAGES, "crl_sign", "encipher_only", "decipher_only"), False)
        may = chance.random() < 0.99
        found.append((x509.KeyUsage(**usage | {"digital_signature": True}, key_cert_sign=may), True))
    if not odd:
        return found
    makers = chance.sample(_ODD, chance.choice([1, 1, 1, 2, 3]))
    return found + [(maker(chance), chance.random() < 0.3) for maker in makers]


def _general(chance: Random) -> x509.GeneralName:
    make = chance.randrange(6)
    if make == 0:
        return x509.UniformResourceIdentifier(chance.choice(URIS))
    if make == 1:
        return x509.RFC822Name._init_without_validation(chance.choice(MAILS))
    if make == 2:
        return x509.IPAddress(ip_address(chance.choice(["10.0.0.1", "::1", "::ffff:10.0.0.1"])))
    if make == 3:
        return x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")]))
    if make == 4 and chance.random() < 0.3:
        return x509.RegisteredID(Oid("1.2.3"))
    return x509.DNSName(chance.choice(DOMAINS))


def _base(chance: Random) -> x509.GeneralName:
    make = chance.randrange(9)
    if make == 0:
        nets = ["10.0.0.0/8", "0.0.0.0/0", "::/0", "::ffff:0:0/100", "fd00::/8"]
        return x509.IPAddress(ip_network(chance.choice(nets)))
    if make == 1:
        return x509.RFC822Name._init_without_validation(chance.choice([*MAILS, *DOMAINS]))
    if make == 2:
        return x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")]))
    kind = x509.DNSName if make < 6 else x509.UniformResourceIdentifier
    return kind(chance.choice(DOMAINS[:10] if chance.random() < 0.8 else DOMAINS))


def _constraints(chance: Random) -> x509.NameConstraints:
    def some(most: int) -> list[x509.GeneralName] | None:
        return [_base(chance) for _ in range(chance.randint(1, most))]

    way = chance.randrange(3)
    return x509.NameConstraints(some(4) if way != 1 else None, some(2) if way else None)


def _policies(chance: Random) -> x509.CertificatePolicies:
    wanted = ["1.2.3", "1.2.4", "2.5.29.32.0", "1.2.3.99999999999"]
    return x509.CertificatePolicies(
        [x509.PolicyInformation(Oid(chance.choice(wanted)), None) for _ in range(chance.randint(1, 3))]
    )


def _purposes(chance: Random) -> x509.ExtendedKeyUsage:
    known = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    other = [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, Oid("1.2.3"), Oid("1.2.2147483648")]
    return x509.ExtendedKeyUsage(
        [*(known if chance.random() < 0.6 else known[:1]), *chance.sample(other, chance.randrange(2))]
    )


def _points(chance: Random) -> x509.CRLDistributionPoints:
    relative = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "a")])
    whole = x509.DistributionPoint([x509.UniformResourceIdentifier("http://a/")], None, None, None)
    return x509.CRLDistributionPoints(
        [whole if chance.random() < 0.7 else x509.DistributionPoint(None, relative, None, None)]
    )


_ODD: list[Any] = [
    _constraints,
    _constraints,
    _constraints,
    lambda chance: x509.SubjectAlternativeName([_general(chance) for _ in range(chance.randint(1, 3))]),
    lambda chance: x509.SubjectAlternativeName([_general(chance)]),
    _policies,
    _purposes,
    _points,
    lambda chance: x509.PolicyConstraints(chance.choice([0, 1, 2, 3, 4]), chance.choice([None, 0, 1])),
    lambda chance: x509.InhibitAnyPolicy(chance.choice([0, 1, 2**63])),
    lambda chance: x509.SubjectKeyIdentifier(chance.choice([b"", b"a"])),
    lambda chance: x509.AuthorityKeyIdentifier(chance.choice([b"a", b"b"]), None, None),
    lambda chance: x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://a"))]
    ),
    lambda chance: x509.UnrecognizedExtension(
        Oid(chance.choice(["1.2.3", "1.2.2147483648", "2.5.29.33", "2.5.29.99"])),
        chance.choice(
            [
                b"\x05\0",
                b"0\x0a0\x08\x06\x02\x2a\x03\x06\x02\x2a\x04",
                b"0\x0b0\x09\x06\x04\x55\x1d\x20\0\x06\1*",
                b"x",
                b"",
            ]
        ),
    ),
    lambda chance: x509.IssuerAlternativeName([_general(chance)]),
]

"""Makes random chains: CAs with odd extensions, keys and names, and with faults of encoding, each correctly signed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from support.der_trees import Node, damage, read_tree
from support.x509_extensions import extensions

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)


@dataclass
class Made:
    """A certificate in DER with its key, None for a key that only a test of reading needs."""

    der: bytes
    key: Any

    @property
    def subject(self) -> Node | None:
        """The subject with its encoding, including faults; None if the certificate has none left."""
        tree = read_tree(self.der)
        parts = (tree[0].parts or []) if tree else []
        fields = [part for part in (parts[0].parts or []) if part.tag != 0xA0] if parts else []
        return fields[4] if len(fields) > 4 else None


@dataclass
class Chain:
    """A cluster's CA, chain and roots, and the certificates that the CA signed: istiod's, and a workload's."""

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


_KINDS = ["P-384", "P-521", "P-224", "K-256", "Ed25519", "Ed448", "RSA-1024", "RSA-2048", "RSA-2048", "DSA"]


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
            continue  # the builder can't make this combination


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
    for extension, critical in extensions(chance, odd):
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
    """Raises ValueError for a certificate of another key, because the certificate wouldn't be the issuer of what the
    key signs."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = x509.load_der_x509_certificate(der).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        return
    if found != key.public_key():
        raise ValueError("another key")


def _signed(tree: Node, key: Any, digest: Any, style: Any = None) -> bytes:
    """The certificate with a new signature over its current content."""
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
    """A leaf like those of istiod: an empty subject, a critical SAN, both purposes."""
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
        return made.public_bytes(Encoding.DER)  # the issuer can't be parsed, so the leaf couldn't be either
    return _signed(tree, key, digest)

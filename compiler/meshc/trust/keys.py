"""Reads the PEM of a private key, and reports why Istio's CAs can't use it."""

from __future__ import annotations

import re
import warnings
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from meshc.errors import MeshcError
from meshc.hidden import Hidden

KeyType = Literal["ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096"]
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----")
_LABELS = (b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY")
_ENCRYPTED = re.compile(rb"\A-----BEGIN (?:ENCRYPTED|[^\n]*\n\s*Proc-Type:[^\n]*ENCRYPTED)")


class IssueError(MeshcError):
    """A certificate can't be issued, signed or rotated. The message says what to do, and never contains a byte of a
    key."""


def load_key(key: Hidden, password: Hidden | None = None) -> PrivateKey:
    """The one private key of a PEM file: PKCS #8, PKCS #1 or SEC 1, encrypted or not. Other blocks are ignored.

    Raises IssueError for anything else, and for a kind of key that istiod doesn't support: istiod supports RSA, P-256
    and P-384. (Citadel of Istio 1.0 signs with RSA only, but a root above it may be any of these.)
    """
    found = _parsed(key, password or None)
    if isinstance(found, str):  # raised here, where neither bytes nor another exception are at hand
        raise IssueError(f"the private key {found}")
    return found


def plain_key(key: Hidden, password: Hidden | None = None) -> Hidden:
    """The same key as unencrypted PKCS #8 PEM, to be sealed as ca-key.pem. Raises IssueError as load_key does."""
    return pkcs8(load_key(key, password))


def new_key(key_type: KeyType) -> PrivateKey:
    match key_type:
        case "ecdsa-p256":
            return ec.generate_private_key(ec.SECP256R1())
        case "ecdsa-p384":
            return ec.generate_private_key(ec.SECP384R1())
        case _:
            return rsa.generate_private_key(65537, int(key_type.removeprefix("rsa-")))


def pkcs8(key: PrivateKey) -> Hidden:
    return Hidden(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def digest_for(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384:
    """The hash for signatures of a key: as strong as the key, and supported by Go and BoringSSL."""
    curve = key.curve if isinstance(key, ec.EllipticCurvePrivateKey) else None
    return hashes.SHA384() if isinstance(curve, ec.SECP384R1) else hashes.SHA256()


def _parsed(key: Hidden, password: Hidden | None) -> PrivateKey | str:
    """The key, or a problem. Never raises, because a traceback would contain the key."""
    begins = list(_BEGIN.finditer(key.reveal()))
    label = begins[0][1] if begins else b""
    inner, end, _ = key.reveal()[begins[0].end() if begins else 0 :].partition(b"-----END " + label + b"-----")
    if len(begins) != 1 or not end:
        there = len(begins) if len(begins) > 1 else 0
        return f"must be one PEM block, but there are {there}: give one key as PKCS #8, PKCS #1 or SEC 1"
    block = begins[0][0] + inner + end
    if label not in _LABELS:
        return "has an unknown format: convert it with openssl pkey"
    encrypted = _ENCRYPTED.match(block) is not None
    if encrypted and password is None:
        return "is encrypted: give its password"
    if password is not None and not encrypted:
        return "isn't encrypted, but there is a password: omit the password, or check whether this is the right key"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = load_pem_private_key(block, password.reveal() if password is not None else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if encrypted:
            return "can't be decrypted: the password is wrong, the key is damaged, or its encryption is unknown"
        return "can't be read: it is damaged, or of an unknown kind"
    if isinstance(found, rsa.RSAPrivateKey):
        return found if found.key_size >= 2048 else f"has {found.key_size} bits: make one of 2048 or more"
    if isinstance(found, ec.EllipticCurvePrivateKey) and isinstance(found.curve, ec.SECP256R1 | ec.SECP384R1):
        return found
    return "has a type that Istio's CAs don't support: make an RSA, ECDSA P-256 or P-384 key"

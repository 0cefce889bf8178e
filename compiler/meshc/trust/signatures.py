"""Checks whether Go's crypto/x509 can verify the kind of signature on a certificate."""

from __future__ import annotations

from meshc.trust.der import OID, SEQUENCE, elements, inside

_RSA, _ECDSA = bytes.fromhex("2a864886f70d0101"), bytes.fromhex("2a8648ce3d04")
_SHA2, _ED25519 = bytes.fromhex("6086480165030402"), bytes.fromhex("2b6570")
_PSS, _MGF1 = _RSA + b"\x0a", _RSA + b"\x08"
_KNOWN = frozenset(
    {
        _ED25519,
        *(_RSA + bytes([kind]) for kind in (0x04, 0x05, 0x0B, 0x0C, 0x0D)),  # MD5, SHA-1 and SHA-2
        *(_ECDSA + kind for kind in (b"\x01", b"\x03\x02", b"\x03\x03", b"\x03\x04")),
    }
)
_SALTS = {1: 32, 2: 48, 3: 64}
"""The length of the salt that Go requires with each SHA-2: the length of the hash."""


def is_known(der: bytes) -> bool:
    """True if Go knows the kind of the signature. Go knows MD5 and SHA-1, but refuses them. Raises ValueError for what
    isn't DER."""
    _, (_, algorithm), *_ = inside(der)
    (_, oid), *parameters = elements(algorithm)
    if oid == _PSS:
        return bool(parameters) and parameters[0][1] in _PSS_PARAMETERS
    return oid in _KNOWN


def _value(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return bytes([tag, len(content)]) + content


def _parameters(kind: int, salt: int, null: bytes) -> bytes:
    """RSASSA-PSS with one hash in both places, as Go takes it (RFC 4055, 3.1)."""
    digest = _value(SEQUENCE, _value(OID, _SHA2 + bytes([kind])), null)
    mask = _value(SEQUENCE, _value(OID, _MGF1), digest)
    return _value(0xA0, digest) + _value(0xA1, mask) + _value(0xA2, _value(0x02, bytes([salt])))


_PSS_PARAMETERS = frozenset(_parameters(kind, salt, null) for kind, salt in _SALTS.items() for null in (b"\x05\0", b""))

"""Decodes the values in one DER value, for fields that cryptography doesn't offer.

It is as strict as cryptobyte, which Go's crypto/x509 uses: tags have one byte, and lengths have as few bytes as
possible.
"""

from __future__ import annotations

SEQUENCE, OID, BOOLEAN, BIT_STRING, OCTETS = 0x30, 0x06, 0x01, 0x03, 0x04


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """The tag and the content of each value, in order. Raises ValueError for what isn't DER."""
    found, at = list[tuple[int, bytes]](), 0
    while at < len(data):
        tag, begin, end = _header(data, at)
        found.append((tag, data[begin:end]))
        at = end
    return found


def inside(data: bytes, tag: int = SEQUENCE) -> list[tuple[int, bytes]]:
    """The content of the only value in the data. Raises ValueError for another tag."""
    (found, content), *_ = elements(data) or [(0, b"")]
    if found != tag:
        raise ValueError("another type was expected")
    return elements(content)


def _header(data: bytes, at: int) -> tuple[int, int, int]:
    """The tag of the value that begins at `at`, and where its content begins and ends."""
    if at + 2 > len(data):
        raise ValueError("cut short")
    tag, length, begin = data[at], data[at + 1], at + 2
    if length & 0x80:
        begin += length & 0x7F
        octets = data[at + 2 : begin]
        length = int.from_bytes(octets, "big")
        if not octets or not octets[0] or length < 0x80:
            raise ValueError("a length in more bytes than needed")
    if tag & 0x1F == 0x1F or begin + length > len(data):
        raise ValueError("a tag of several bytes, or cut short")
    return tag, begin, begin + length

"""Decodes the CERTIFICATE blocks of a PEM file to DER, or reports what else is in the file."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_END = b"-----END CERTIFICATE-----"


def blocks(data: bytes) -> Iterator[tuple[int, bytes | tuple[str, str]]]:
    """The first line of each block, with its DER or, if it can't be read, with a problem and a hint."""
    begin, body, outside = 0, list[bytes](), False
    for number, raw in enumerate(data.split(b"\n"), start=1):
        line = raw.rstrip(b" \t\r")  # what Go's encoding/pem ignores; it ignores nothing before a dash
        if line == _BEGIN:
            if begin:
                yield begin, ("this block has no end", "export the certificate again, as PEM")
            begin, body, outside = number, [], False
        elif begin and line == _END:
            yield begin, _decode(body)
            begin = 0
        elif begin:
            body.append(line)
        elif line and not outside:
            outside = True  # one problem for a run of lines
            what = "this isn't a CERTIFICATE block"
            yield number, (what, "keep only the lines from BEGIN CERTIFICATE to END CERTIFICATE")
    if begin:
        yield begin, ("this block has no end", "export the certificate again, as PEM")


def _decode(body: list[bytes]) -> bytes | tuple[str, str]:
    if any(line.startswith(_END) for line in body):
        what = "the end of this block and the beginning of the next are on one line"
        return what, "put a newline between the two certificates"
    try:
        der = base64.b64decode(b"".join(body), validate=True)
    except (binascii.Error, ValueError):
        der = b""
    # Encoding again finds what b64decode lets pass: data after the padding, and bits that no encoder sets.
    if not der or not all(body) or base64.b64encode(der) != b"".join(body):
        return "this block isn't base64", "export the certificate again, as PEM"
    return der

"""Finds keys and tokens in the bytes of a file, in the forms in which people and tools write them."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

KEY, TOKEN, AGE = "a private key", "a bearer token", "an age key"


def spots(data: bytes) -> dict[str, int]:
    """A position in the first line of each kind of secret: raw, in base64 (wrapped, or twice), with escapes, in
    pieces."""
    found: dict[str, int] = {}
    for form in (_as_it_stands, _joined, _unescaped, _squeezed):
        seen = form(data)
        for name, spot in _FINDERS[form](seen):
            if name not in found:
                found[name] = spot if form is _as_it_stands else _line(data, spot, _SHAPES[form])
    return found


def readable(data: bytes) -> bytes:
    """The text as UTF-8 where it is UTF-16, which PowerShell's > writes; anything else as it is."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").encode(errors="replace")
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = data[first:4096:2].count(0), data[1 - first : 4096 : 2].count(0)
        if zeros > 8 and zeros > 0.8 * len(data[first:4096:2]) and not others:
            return data.decode(encoding, "replace").encode(errors="replace")
    return data


def _as_it_stands(data: bytes) -> bytes:
    return data


def _joined(data: bytes) -> bytes:
    return data.translate(None, b" \t\r\n\v\f")


def _unescaped(data: bytes) -> bytes:
    r"""`PRIVATE\x20KEY` and `PRIVATE\u0020KEY` as most languages read them; nothing where there is none."""
    if not any(mark in data for mark in (b"\\x", b"\\u", b"\\U")):
        return b""
    return _resolved(data)


def _resolved(data: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: bytes.fromhex((found[1] or found[2] or found[3]).decode()), data)


def _squeezed(data: bytes) -> bytes:
    """Joins the quoted pieces of a text in a program; empty if there are no quotes."""
    if not any(mark in data for mark in (b'"', b"'", b"`")):
        return b""
    return _without_quotes(data)


def _without_quotes(data: bytes) -> bytes:
    return _resolved(data).replace(b"\\n", b"").replace(b"\\r", b"").translate(None, b" \t\r\n\v\f\"'`+,\\()")


_SHAPES = {_joined: _joined, _unescaped: _resolved, _squeezed: _without_quotes}
"""For each form, the function that undoes it on a line, if the line can have this form."""


_ESCAPE = re.compile(rb"\\x([2-7][0-9a-fA-F])|\\u00([2-7][0-9a-fA-F])|\\U000000([2-7][0-9a-fA-F])")


def _encoded(text: bytes) -> list[bytes]:
    """The three possible base64 spellings of a text inside other text, without the characters that depend on the
    neighbours."""
    forms = []
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + text)
        first = -(-before * 8 // 6)
        last = (before + len(text)) * 8 // 6
        forms.append(whole[first:last])
    return forms


_FIRST_PART = rb"(?<![A-Za-z0-9_-])(?>[A-Za-z0-9_-]*?(eyJ))[A-Za-z0-9_-]{10,}+\.eyJ"


def _token(rest: bytes) -> re.Pattern[bytes]:
    """A pattern for a token whose second part continues with `rest` after `eyJ`.

    It reads each word only once, from its start to the first `eyJ` and on to its end: if the first `eyJ` doesn't begin
    a token, no later one does.
    """
    return re.compile(_FIRST_PART + rest)


_RAW = {
    KEY: re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"),
    TOKEN: _token(rb"[A-Za-z0-9_-]++\."),
    AGE: re.compile(rb"AGE-SECRET-KEY-1[0-9A-Z]{10}"),
}
_IN_PIECES = {  # with what follows: only this distinguishes a text in pieces from neighbouring words
    KEY: re.compile(rb"-----BEGIN[A-Z0-9]*PRIVATEKEY-----[A-Za-z0-9/]{40}"),
    TOKEN: _token(rb"[A-Za-z0-9_-]{10,}+\.[A-Za-z0-9_-]{8}"),
    AGE: re.compile(rb"AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{50}"),
}
_SEARCHED = {KEY: b"PRIVATE", TOKEN: b".eyJ", AGE: b"AGE-SECRET"}
"""A text that each of both must contain; searching for it is cheap."""
_WORDS = {KEY: b"PRIVATE KEY", TOKEN: b"eyJhbGciOi", AGE: b"AGE-SECRET-KEY-1"}
_ONCE = {name: _encoded(word) for name, word in _WORDS.items()}
_TWICE = {name: [form for once in forms for form in _encoded(once)] for name, forms in _ONCE.items()}
_BODIES = {  # what DER of a private key begins with, and no certificate or public key, in base64
    b"ADANBgkqhkiG9w0BAQEFAASC": re.compile(rb"ADANBgkqhkiG9w0BAQEFAASC[A-Za-z0-9+/]{60}"),  # PKCS #8, RSA
    b"IBAAKCA": re.compile(rb"MII[A-P][A-Za-z0-9+/][AQgw]IBAAKCA[A-Za-z0-9+/]EA[A-Za-z0-9+/]{60}"),  # PKCS #1
    b"GByqGSM49AgEG": re.compile(rb"AgEAMB[AM]GByqGSM49AgEG[A-Za-z0-9+/]{60}"),  # PKCS #8, P-256 and P-384
    b"MHcCAQEEI": re.compile(rb"MHcCAQEEI[A-Za-z0-9+/]{43}oAoGCCqGSM49"),  # SEC 1, P-256
    b"MIGkAgEBBD": re.compile(rb"MIGkAgEBBD[A-Za-z0-9+/]{66}BwYFK4EEACKh"),  # SEC 1, P-384
    b"MC4CAQAwBQYDK2VwBCIEI": re.compile(rb"MC4CAQAwBQYDK2VwBCIEI[A-Za-z0-9+/]{42}"),  # PKCS #8, Ed25519
}
_LONG_BASE64 = re.compile(rb"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40,}")


def _matches(data: bytes, patterns: dict[str, re.Pattern[bytes]]) -> Iterable[tuple[str, int]]:
    for name, pattern in patterns.items():
        if _SEARCHED[name] in data and (match := pattern.search(data)):
            yield name, match.start(match.lastindex or 0)


def _literals(data: bytes, *sets: dict[str, list[bytes]]) -> Iterable[tuple[str, int]]:
    for forms in sets:
        for name, texts in forms.items():
            if at := [spot for text in texts if (spot := data.find(text)) >= 0]:
                yield name, min(at)


def _bare(data: bytes) -> Iterable[tuple[str, int]]:
    return _matches(data, _RAW)


def _raw(data: bytes) -> Iterable[tuple[str, int]]:
    yield from _matches(data, _RAW)
    yield from _literals(data, _ONCE)


def _in_base64(data: bytes) -> Iterable[tuple[str, int]]:
    yield from _matches(data, _RAW)
    yield from _literals(data, _ONCE, _TWICE)
    for mark, pattern in _BODIES.items():
        if mark in data and (match := pattern.search(data)):
            yield KEY, match.start()
    for run in _LONG_BASE64.finditer(data):
        for name in _inside(run[0]):
            yield name, run.start()


def _in_pieces(data: bytes) -> Iterable[tuple[str, int]]:
    yield from _matches(data, _IN_PIECES)
    yield from _literals(data, _ONCE, _TWICE)


_FINDERS = {_as_it_stands: _bare, _joined: _in_base64, _unescaped: _raw, _squeezed: _in_pieces}


def _inside(text: bytes, depth: int = 2) -> set[str]:
    """What is hidden in base64, and in base64 of base64."""
    data = base64.b64decode(text[: len(text) // 4 * 4])
    found = {name for name, _ in _raw(data)}
    for run in _LONG_BASE64.finditer(_joined(data)) if depth > 1 else ():
        found |= _inside(run[0], depth - 1)
    return found


def _line(data: bytes, spot: int, shape: Callable[[bytes], bytes]) -> int:
    """The start of the line in `data` that contains position `spot` of the transformed text.

    An escape never crosses the end of a line, so the lengths of the parts add up, and a binary search finds the line.
    """
    first, last = 0, len(data)
    while (middle := _between_lines(data, first, last)) is not None:
        length = len(shape(data[first:middle]))
        if spot < length:
            last = middle
        else:
            first, spot = middle, spot - length
    return first


def _between_lines(data: bytes, first: int, last: int) -> int | None:
    """The start of a line near the middle, after the first line; None if there is only one line."""
    middle = (first + last) // 2
    found = data.rfind(b"\n", first, middle) + 1 or data.find(b"\n", middle, last) + 1
    return found if first < found < last else None

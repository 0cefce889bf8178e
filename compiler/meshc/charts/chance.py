"""Finds the calls in a chart's templates whose results differ from run to run: random values and the clock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|`[^`]*+`?|[.$]?\w++')
"""A text without closing quotes extends to the end of the action, so that each byte is read only once."""
_RANDOM = frozenset(
    (
        *(b"randAlphaNum", b"randAlpha", b"randNumeric", b"randAscii", b"randBytes", b"randInt", b"uuidv4", b"shuffle"),
        *(b"genPrivateKey", b"genCA", b"genCAWithKey", b"genSelfSignedCert", b"genSelfSignedCertWithKey"),
        *(b"genSignedCert", b"genSignedCertWithKey", b"htpasswd", b"bcrypt", b"encryptAES"),
    )
)
_ELSEWHEN = {b"now": b'(toDate "2006-01-02" "2001-02-03")', b"ago": b"toString"}
"""The functions of sprig that read the clock, each with a call that doesn't."""


def changeable(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Calls of random or clock functions in the templates, as `templates/secret.yaml:12: randAlphaNum`, in order."""
    found = []
    for path in sorted(files):
        line = 1
        for text, is_action in _pieces(files[path]):
            for token in _TOKEN.finditer(text) if is_action else ():
                if token[0] in _RANDOM or token[0] in _ELSEWHEN:
                    found.append(f"{path}:{line + text.count(_NEWLINE, 0, token.start())}: {token[0].decode()}")
            line += text.count(_NEWLINE)
    return tuple(found)


def at_another_time(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The same chart with all calls of clock functions replaced by fixed values, as if rendered on another day."""
    return {
        path: b"".join(_elsewhen(text) if is_action else text for text, is_action in _pieces(data))
        for path, data in files.items()
    }


def _elsewhen(action: bytes) -> bytes:
    return _TOKEN.sub(lambda token: _ELSEWHEN.get(token[0], token[0]), action)


def _pieces(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """The text in order, in pieces: actions `{{ ... }}` with True, and the text between actions with False."""
    position = 0
    while (start := data.find(b"{{", position)) >= 0 and (end := data.find(b"}}", start)) >= 0:
        yield data[position:start], False
        yield data[start : end + 2], True
        position = end + 2
    yield data[position:], False


_NEWLINE = b"\n"

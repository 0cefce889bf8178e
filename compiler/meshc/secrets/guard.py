"""guard turns the bytes of a file into the places where a key or a token stands in plain text."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any

from meshc import codes
from meshc.errors import Code, Place, Problem
from meshc.secrets.sops import is_encrypted


def _encoded(text: bytes) -> list[bytes]:
    """The three ways in which base64 may spell a text, by where it begins, less the characters its neighbours change."""
    forms = []
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + text)
        first = -(-before * 8 // 6)
        last = (before + len(text)) * 8 // 6
        forms.append(whole[first:last])
    return forms


_KEY, _TOKEN = b"PRIVATE KEY", b"eyJhbGciOi"
_NEEDLES = {
    "a private key": [re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"), *map(re.compile, map(re.escape, _encoded(_KEY)))],
    "a bearer token": [
        re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]+\."),
        *map(re.compile, map(re.escape, _encoded(_TOKEN))),
    ],
    "an age key": [re.compile(rb"AGE-SECRET-KEY-1[0-9A-Z]{10}"), *map(re.compile, map(re.escape, _encoded(b"AGE-SECRET-KEY-1")))],
}


def plaintext_in(data: bytes, shown: str, code: Code, clusters: tuple[str, ...] = ()) -> Iterable[Problem]:
    """Every kind of plain secret in a file, raw or in base64, at its first line. What it is, never what it says."""
    for name, needles in _NEEDLES.items():
        spots = [match.start() for needle in needles if (match := needle.search(data))]
        if spots:
            line = data.count(b"\n", 0, min(spots)) + 1
            hint = "take it out and replace it: what was written to a file of the repository is known"
            yield code.at(Place(shown, line, 1), f"{name} stands here in plain text", hint, clusters=clusters)


def plain_secret(data: Mapping[str, Any], place: Place) -> Iterable[Problem]:
    """A Secret of the user's whose values anyone can read."""
    if data.get("kind") != "Secret" or data.get("apiVersion") != "v1":
        return
    values = data.get("data") or {}
    if data.get("stringData") or not isinstance(values, dict) or not all(map(is_encrypted, values.values())):
        what = "a Secret in plain text would be committed to output/"
        hint = "seal it (sops, SealedSecret) or refer to it (ExternalSecret), and replace what it held"
        yield codes.PLAINTEXT_SECRET.at(place, what, hint)

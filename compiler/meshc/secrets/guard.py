"""guard turns the bytes of a file into the places where a key or a token stands in plain text."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.errors import Code, Place, Problem
from meshc.mesh.inputs import objects_in
from meshc.secrets.contract import LAST_APPLIED, at
from meshc.secrets.sops import decoded, is_encrypted
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from meshc.mesh.inputs import Inputs


def _encoded(text: bytes) -> list[bytes]:
    """The three ways in which base64 may spell a text, less the characters that its neighbours change."""
    forms = []
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + text)
        first = -(-before * 8 // 6)
        last = (before + len(text)) * 8 // 6
        forms.append(whole[first:last])
    return forms


_KEY, _TOKEN = b"PRIVATE KEY", b"eyJhbGciOi"
_NEEDLES = {
    "a private key": [
        re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"),
        *map(re.compile, map(re.escape, _encoded(_KEY))),
    ],
    "a bearer token": [
        re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]+\."),
        *map(re.compile, map(re.escape, _encoded(_TOKEN))),
    ],
    "an age key": [
        re.compile(rb"AGE-SECRET-KEY-1[0-9A-Z]{10}"),
        *map(re.compile, map(re.escape, _encoded(b"AGE-SECRET-KEY-1"))),
    ],
}


def plaintext_in(data: bytes, shown: str, code: Code, clusters: tuple[str, ...] = ()) -> Iterable[Problem]:
    """Every kind of plain secret in a file, raw or in base64 (wrapped or not), at its first line.

    The message says what it is, never what it says.
    """
    first: dict[str, int] = {}
    joined = _SPACE.sub(b"", data)
    for name, needles in _NEEDLES.items():
        spots = [match.start() for needle in needles if (match := needle.search(data))]
        spots = spots or [_unjoined(data, match.start()) for needle in needles if (match := needle.search(joined))]
        if spots:
            first[name] = min(spots)
    for run in _LONG_BASE64.finditer(joined):
        for name in _inside(run[0]) - first.keys():
            first[name] = _unjoined(data, run.start())
    for name, spot in first.items():
        line = data.count(b"\n", 0, spot) + 1
        hint = "take it out and replace it: what was written to a file of the repository is known"
        yield code.at(Place(shown, line, 1), f"{name} stands here in plain text", hint, clusters=clusters)


_SPACE = re.compile(rb"\s+")
_LONG_BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,}")


def _inside(text: bytes, depth: int = 2) -> set[str]:
    """What is hidden in base64, and in base64 of base64."""
    data = base64.b64decode(text[: len(text) // 4 * 4])
    found = {name for name, needles in _NEEDLES.items() if any(needle.search(data) for needle in needles)}
    for run in _LONG_BASE64.finditer(_SPACE.sub(b"", data)) if depth > 1 else ():
        found |= _inside(run[0], depth - 1)
    return found


def _unjoined(data: bytes, position: int) -> int:
    """Where the character stands in `data` that is at `position` once white space is gone."""
    for space in _SPACE.finditer(data):
        if space.start() > position:
            break
        position += space.end() - space.start()
    return position


def check_inputs(inputs: Inputs, shown: Callable[[str], str]) -> Iterable[Problem]:
    """Nothing of the user's that is copied or built into the tree holds a secret in plain text."""
    for name, content in inputs.plain.items():
        yield from plaintext_in(content, shown(name), codes.PLAINTEXT_SECRET)
    for files in inputs.resources.values():
        for file in files:
            for manifest, path, body in objects_in(file.manifests):
                if isinstance(body, dict):
                    yield from plain_secret(body, manifest.place(path))


def check_rendered(data: bytes, shown: str, clusters: tuple[str, ...]) -> Iterable[Problem]:
    """Nothing that patches made of a cluster's objects is a secret in plain text: they can turn any object into one."""
    yield from plaintext_in(data, shown, codes.PLAINTEXT_SECRET, clusters)
    yield from (replace(found, clusters=clusters) for found in plain_objects(data, shown))


def plain_objects(data: bytes, shown: str) -> Iterable[Problem]:
    """Every Secret of a YAML file whose values anyone can read. Certificates may be read by everyone."""
    for document in read(data, shown)[0]:
        if isinstance(document.data, dict):
            yield from plain_secret(_certificates_left_out(document.data), document.place(()))


def _certificates_left_out(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """A Secret without the values that everybody may read."""
    from meshc.trust.certificates import only_certificates

    values = body.get("data")
    if body.get("kind") != "Secret" or not isinstance(values, dict):
        return body
    return {**body, "data": {key: value for key, value in values.items() if not only_certificates(decoded(value))}}


_SEALED = ("Secret", "SealedSecret", "ExternalSecret")
_WEAKENS = ("kustomize.toolkit.fluxcd.io/decrypt", "sealedsecrets.bitnami.com/cluster-wide")
"""Of the annotations that decide on protection, those that nobody needs on a Secret of their own."""


def is_secret(body: Mapping[str, Any]) -> bool:
    """Whether an object is a Secret or becomes one."""
    return body.get("kind") in _SEALED


def plain_secret(data: Mapping[str, Any], place: Place) -> Iterable[Problem]:
    """A Secret of the user's whose values anyone can read."""
    annotations = at(data, "metadata", "annotations")
    for key in annotations if is_secret(data) and isinstance(annotations, dict) else ():
        if key == LAST_APPLIED:
            what = f"the annotation {LAST_APPLIED} holds the Secret as it was applied"
            yield codes.PLAINTEXT_SECRET.at(place, what, "take it out, and replace what the Secret held")
        if key in _WEAKENS:
            what = f"the annotation {key} switches the protection of a secret off"
            yield codes.UNSAFE_ANNOTATION.at(place, what, "take it out of the file")
    if data.get("kind") != "Secret" or data.get("apiVersion") != "v1":
        return
    values, sealed = data.get("data") or {}, is_encrypted(at(data, "sops", "mac"))
    if (
        data.get("stringData")
        or not isinstance(values, dict)
        or (values and not sealed)
        or not all(map(is_encrypted, values.values()))
    ):
        what = "a Secret in plain text would be committed to output/"
        hint = "seal it (sops, SealedSecret) or refer to it (ExternalSecret), and replace what it held"
        yield codes.PLAINTEXT_SECRET.at(place, what, hint)

"""guard turns the bytes of a file into the places where a key or a token stands in plain text."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.errors import Code, Place, Problem
from meshc.kube import at
from meshc.mesh.inputs import Manifest, objects_in
from meshc.sealedtext import decoded, is_encrypted
from meshc.secrets.contract import LAST_APPLIED
from meshc.secrets.needles import readable, spots
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from meshc.mesh.inputs import Inputs


def plaintext_in(data: bytes, shown: str, code: Code, clusters: tuple[str, ...] = ()) -> Iterable[Problem]:
    """Every kind of plain secret in a file, raw or in base64 (wrapped or not), at its first line.

    The message says what it is, never what it says.
    """
    text = readable(data)
    for name, spot in spots(text).items():
        line = text.count(b"\n", 0, spot) + 1
        hint = "take it out and replace it: what was written to a file of the repository is known"
        yield code.at(Place(shown, line, 1), f"{name} stands here in plain text", hint, clusters=clusters)


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
    for document in read(readable(data), shown)[0]:
        for manifest, path, body in objects_in([Manifest(document)]):
            if isinstance(body, dict):
                yield from plain_secret(_certificates_left_out(body), manifest.place(path))
                yield from _plain_kubeconfig(body, manifest.place(path))


def _plain_kubeconfig(body: Mapping[str, Any], place: Place) -> Iterable[Problem]:
    """A token or password of any form, where only what is around it tells that it is one."""
    users = body.get("users") if body.get("kind") == "Config" else None
    for entry in users if isinstance(users, tuple) else ():
        for field in ("token", "password"):
            value = at(entry, "user", field)
            if isinstance(value, str) and len(value) >= 8 and not any(mark in value for mark in "<>{}$* "):
                what = f"a kubeconfig's {field} stands here in plain text"
                yield codes.PLAINTEXT_SECRET.at(place, what, "take it out and replace it: it is known")


def _applied(text: Any, place: Place) -> Iterable[Problem]:
    """A Secret that kubectl noted as it was applied, on whatever object it stands."""
    try:
        body = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return
    if isinstance(body, dict) and body.get("kind") == "Secret" and (body.get("data") or body.get("stringData")):
        what = f"the annotation {LAST_APPLIED} holds the Secret as it was applied"
        yield codes.PLAINTEXT_SECRET.at(place, what, "take it out, and replace what the Secret held")


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
    if not is_secret(data) and isinstance(annotations, dict):
        yield from _applied(annotations.get(LAST_APPLIED), place)
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

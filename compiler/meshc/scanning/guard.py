"""Finds the places in a file where a key or a token is in plain text."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from meshc import codes
from meshc.errors import Code, Path, Place, Problem
from meshc.kube import at
from meshc.mesh.user_files import Manifest, objects_in
from meshc.scanning.inventory_guard import without_public
from meshc.scanning.needles import readable, spots
from meshc.scanning.plain_values import plain_secret
from meshc.sealedtext import decoded
from meshc.tree import HEADER
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from meshc.mesh.inputs import Inputs
    from meshc.yamltext.document import Document


def plaintext_in(data: bytes, shown: str, code: Code, clusters: tuple[str, ...] = ()) -> Iterable[Problem]:
    """Every kind of plain secret in a file, raw or in base64 (wrapped or not), at its first line.

    The message names the kind, and never contains the secret.
    """
    text = readable(data)
    for name, spot in spots(text).items():
        line = text.count(b"\n", 0, spot) + 1
        hint = "remove it and replace it: anyone may have read a file of the repository"
        yield code.at(Place(shown, line, 1), f"{name} is here in plain text", hint, clusters=clusters)


class Search(Protocol):
    """`plaintext_in`, or a cached version of it."""

    def __call__(self, data: bytes, shown: str, code: Code, clusters: tuple[str, ...] = ()) -> Iterable[Problem]: ...


def check_inputs(inputs: Inputs, shown: Callable[[str], str], search: Search) -> Iterable[Problem]:
    """Checks that no user file that is copied or built into the tree has a secret in plain text."""
    for name, content in inputs.plain.items():
        yield from search(content, shown(name), codes.PLAINTEXT_SECRET)
    for files in inputs.resources.values():
        for file in files:
            for manifest, path, body in objects_in(file.manifests):
                if isinstance(body, dict):
                    yield from plain_secret(_certificates_left_out(body), partial(_placed, manifest, path))


def _placed(manifest: Manifest, path: Path, below: Path) -> Place:
    return manifest.place((*path, *below))


class RenderedGuard:
    """Searches the result of kustomize for secrets in plain text, because a patch can turn any object into a Secret.

    Used for one run: it reads each distinct object once, even if many clusters have it. Objects in `known` are meshc's
    own and were searched earlier.
    """

    def __init__(self, known: Iterable[bytes] = ()) -> None:
        self._found: dict[bytes, tuple[Problem, ...]] = dict.fromkeys(
            (text for data in known for text in _documents(data)), ()
        )

    def check(self, data: bytes, shown: str, clusters: tuple[str, ...]) -> Iterable[Problem]:
        """The plain secrets in the output of kustomize, where a line `---` is only between objects."""
        for text in _documents(data):
            if text not in self._found:
                self._found[text] = tuple(_in_rendered(text))
            for found in self._found[text]:
                yield replace(found, place=replace(found.place, file=shown), clusters=clusters)

    def is_clean(self, data: bytes) -> bool:
        """True if the output of kustomize has no secret in plain text."""
        return not any(True for _ in self.check(data, "", ()))


def _documents(data: bytes) -> Iterable[bytes]:
    return (text for part in data.removeprefix(HEADER).split(b"\n---\n") if (text := part.rstrip(b"\n")))


def _in_rendered(text: bytes) -> Iterable[Problem]:
    yield from plaintext_in(text, "", codes.PLAINTEXT_SECRET)
    documents, problems = read(text, "")
    yield from (problem for problem in problems if problem.code in (codes.YAML_SIZE, codes.YAML_EXPANSION))
    yield from _in_documents(documents)


def plain_objects(data: bytes, shown: str) -> Iterable[Problem]:
    """Every Secret in a YAML file with readable values.

    Certificates may be readable, and so may the fields of Argo CD's cluster Secrets that an inventory keeps.
    """
    return _in_documents(read(readable(data), shown)[0], without_public)


def _in_documents(
    documents: Iterable[Document], private: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
) -> Iterable[Problem]:
    for document in documents:
        for manifest, path, body in objects_in([Manifest(document)]):
            if isinstance(body, dict):
                yield from plain_secret(_certificates_left_out(private(body)), partial(_placed, manifest, path))
                yield from _plain_kubeconfig(body, manifest.place(path))


def _plain_kubeconfig(body: Mapping[str, Any], place: Place) -> Iterable[Problem]:
    """A token or password of any form, recognized only by its context."""
    users = body.get("users") if body.get("kind") == "Config" else None
    for entry in users if isinstance(users, tuple) else ():
        for field in ("token", "password"):
            value = at(entry, "user", field)
            if isinstance(value, str) and len(value) >= 8 and not any(mark in value for mark in "<>{}$* "):
                what = f"a kubeconfig's {field} is here in plain text"
                yield codes.PLAINTEXT_SECRET.at(place, what, "remove it and replace it: it isn't secret any more")


def _certificates_left_out(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """A Secret without the values that everybody may read."""
    from meshc.trust.certificates import only_certificates

    values = body.get("data")
    if body.get("kind") != "Secret" or not isinstance(values, dict):
        return body
    return {**body, "data": {key: value for key, value in values.items() if not only_certificates(decoded(value))}}

"""Reads the objects of each cluster from a folder with one folder per cluster, and which kinds are unknown there.

The files come from the script of `dump_script`, from `kubectl get -o yaml`, or from a GitOps repository. Ignores
everything that isn't a Kubernetes object. Keeps only the public part of a Secret, and removes the rest before any other
code sees it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.capture.dump_script import REMOTES
from meshc.capture.kinds import KINDS, KUBEADM, of_object
from meshc.capture.tree import Folder
from meshc.errors import MeshcError
from meshc.hidden import Hidden
from meshc.issuing.given import given
from meshc.kube import Body, at, identity_of
from meshc.plan.istiod_values import KUBECONFIG
from meshc.trust.certificates import only_certificates
from meshc.trust.proofs import SERVER

if TYPE_CHECKING:
    from meshc.capture.installations import Told

PUBLIC = ("ca-cert.pem", "cert-chain.pem", "root-cert.pem", "tls.crt", "ca.crt")
CACERTS = "cacerts"
_SINGLE = {CACERTS, REMOTES, KUBEADM, KUBECONFIG}
"""Files of a dump with single Secrets or ConfigMaps."""
_FILES = {kind.word for kind in KINDS} | _SINGLE
"""Files of a dump that are named after a kind. If such a file is empty, the cluster has no object of that kind."""


@dataclass(frozen=True, slots=True)
class Dump:
    """The objects of a cluster, the number of files without one, and why some YAML couldn't be parsed.

    `known` are the kinds, as kubectl names them, that are complete here. For any other kind, a missing object proves
    nothing. `version` is the version that the API server reported, `said` are the installations in a GitOps tree.
    """

    cluster: str
    bodies: tuple[Body, ...]
    passed_over: int
    unread: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()
    version: str = ""
    said: tuple[Told, ...] = ()
    places: tuple[str, ...] = ()
    """The file of each object, if files were read."""

    def all(self, kind: str, namespace: str | None = None, name: str | None = None) -> list[Body]:
        """The objects of a kind."""
        return [
            body
            for body in self.bodies
            if body.get("kind") == kind
            and (namespace is None or at(body, "metadata", "namespace") == namespace)
            and (name is None or at(body, "metadata", "name") == name)
        ]


def dump_of(name: str, folder: Folder) -> Dump:
    """The objects of one folder, and what the names and the form of its files show."""
    bodies: list[Body] = []
    places: list[str] = []
    known: set[str] = set()
    telling = {told.where for told in folder.said}
    version = ""
    for where, data in folder.documents:
        word = where.rpartition("/")[2].rpartition(".")[0]
        objects = list(_objects(data))
        known |= {word} if _is_dumped(word, at(data, "kind"), objects) else set()
        said = str(at(data, "serverVersion", "gitVersion") or "")
        version = said or version
        if objects or said or word in _FILES:
            telling.add(where)
        if at(data, "kind") == "List":  # written by kubectl, which reads all objects of a kind
            known |= {word for body in objects if (word := word_of(body))}
            known |= {CACERTS, REMOTES} if any(body["kind"] == "Secret" for body in objects) else set()
        bodies += objects
        places += [where] * len(objects)
    silent = {where for where, _ in folder.documents} - telling
    here = tuple(told for told in folder.said if not told.cluster)
    over = folder.passed_over + len(silent)
    return Dump(name, tuple(bodies), over, tuple(folder.left), frozenset(known), version, here, tuple(places))


def _is_dumped(word: str, kind: Any, objects: Sequence[Body]) -> bool:
    """True if a file has all objects of the kind after which it is named, unlike the services.yaml of an app."""
    if not objects or kind == "List":
        return word in _FILES
    return word in _SINGLE and kind in ("Secret", "ConfigMap")


def word_of(body: Body) -> str:
    """The kind of an object as kubectl names it; empty for a kind that doesn't describe a mesh."""
    identity = identity_of(body)
    return of_object(identity.group, identity.kind)


def _objects(data: Any) -> Iterator[Body]:
    """The objects of a document: the items of a list, or the object itself."""
    listed = data.get("items") if isinstance(data, dict) else None
    yield from public_only(listed if isinstance(listed, tuple) else (data,))


def public_only(bodies: Iterable[Any]) -> Iterator[Body]:
    """Only the Kubernetes objects, and only the public part of each Secret."""
    for body in bodies:
        if _is_object(body):
            yield _without_secrets(body) if body["kind"] == "Secret" else body


def _is_object(body: Any) -> bool:
    described = [at(body, "metadata", key) for key in ("labels", "annotations")]
    said = at(body, "apiVersion"), at(body, "kind"), at(body, "metadata", "name")
    return all(isinstance(one, str) for one in said) and all(one is None or isinstance(one, dict) for one in described)


def _without_secrets(body: Body) -> Body:
    """A Secret with its public parts: the certificates of a cacerts, and the server of a remote secret."""
    metadata = at(body, "metadata")
    kept: dict[str, Any] = {}
    for part in ("data", "stringData"):
        for key, value in (body.get(part) or {}).items() if isinstance(body.get(part), dict) else ():
            kept[key] = _public(key, value, part == "data")
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    kept_notes = {key: text for key, text in annotations.items() if key == SERVER}
    described = {"name": metadata["name"], "namespace": metadata.get("namespace"), "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {**described, "annotations": kept_notes}, "public": kept}


def _public(key: str, value: Any, encoded: bool) -> str:
    try:
        data = base64.b64decode(str(value), validate=True) if encoded else str(value).encode()
    except (binascii.Error, ValueError):
        return ""
    if key in PUBLIC:
        return data.decode() if only_certificates(data) else ""
    try:
        held = given(Hidden(data)).credentials
    except MeshcError:
        return ""
    return held.server if held else ""

"""dump turns a folder with a folder for each cluster into the objects of each, and into what isn't known of it.

They come from the script of `dump_script`, from `kubectl get -o yaml`, or from a GitOps repository. What isn't a
Kubernetes object is passed over. Of a Secret only what is public is kept, before anything else looks at it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from meshc.capture.dump_script import REMOTES
from meshc.capture.kinds import KINDS, KUBEADM, of_object
from meshc.errors import MeshcError, UsageError
from meshc.hidden import Hidden
from meshc.kube import Body, at, identity_of
from meshc.plan.values import KUBECONFIG
from meshc.seal.given import given
from meshc.trust.certificates import only_certificates
from meshc.trust.proofs import SERVER
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.disk.repository import Repository

PUBLIC = ("ca-cert.pem", "cert-chain.pem", "root-cert.pem")
CACERTS = "cacerts"
_FILES = {kind.word for kind in KINDS} | {CACERTS, REMOTES, KUBEADM, KUBECONFIG}
"""Files of a dump whose name says what they hold: none of it, where they are empty."""


@dataclass(frozen=True, slots=True)
class Dump:
    """The objects of a cluster, how many files held none, and why YAML in some couldn't be read.

    `known` are the kinds, in kubectl's words, of which every object is here: of any other, none may mean anything.
    `version` is what the API server says of itself, where it was asked.
    """

    cluster: str
    bodies: tuple[Body, ...]
    passed_over: int
    unread: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()
    version: str = ""

    def all(self, kind: str, namespace: str | None = None, name: str | None = None) -> list[Body]:
        """The objects of a kind."""
        return [
            body
            for body in self.bodies
            if body.get("kind") == kind
            and (namespace is None or at(body, "metadata", "namespace") == namespace)
            and (name is None or at(body, "metadata", "name") == name)
        ]


@dataclass(slots=True)
class _Found:
    """What is gathered of one folder."""

    bodies: list[Body] = field(default_factory=list)
    passed_over: int = 0
    unread: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    version: str = ""


def dumps(folder: Repository, hint: str) -> list[Dump]:
    """One for each folder that holds objects. Raises UsageError, with the hint, where there is none."""
    found: dict[str, _Found] = {}
    for path in folder.list_files("."):
        cluster, below, _ = path.partition("/")
        if below:
            _read(folder, path, found.setdefault(cluster, _Found()))
    made = [
        Dump(name, tuple(one.bodies), one.passed_over, tuple(one.unread), frozenset(one.known), one.version)
        for name, one in sorted(found.items())
        if one.bodies
    ]
    if not made:
        raise UsageError(f'"{folder.base}" has no folder of Kubernetes objects for each cluster', hint)
    return made


def _read(folder: Repository, path: str, found: _Found) -> None:
    """One file. A line of it may be secret, and isn't shown."""
    if not path.endswith((".yaml", ".yml", ".json")):
        found.passed_over += 1
        return
    documents, problems = read(folder.read_file(path), path)
    if problems:  # a template of Helm's, or a dump that is cut off
        found.unread.append(f"{problems[0].place}: {problems[0].code.title}")
        found.passed_over += 1
        return
    word = path.rpartition("/")[2].rpartition(".")[0]
    found.known |= {word} & _FILES
    version = next((said for one in documents if (said := at(one.data, "serverVersion", "gitVersion"))), "")
    found.version = str(version) or found.version
    bodies = [body for document in documents for body in _objects(document.data)]
    for document in documents:
        if at(document.data, "kind") == "List":  # as kubectl writes it, which asks for the whole of a kind
            listed = list(_objects(document.data))
            found.known |= {word for body in listed if (word := word_of(body))}
            found.known |= {CACERTS, REMOTES} if any(body["kind"] == "Secret" for body in listed) else set()
    found.bodies += bodies
    found.passed_over += not (bodies or version or word in _FILES)


def word_of(body: Body) -> str:
    """The kind of an object in kubectl's words; empty for one that tells nothing of a mesh."""
    identity = identity_of(body)
    return of_object(identity.group, identity.kind)


def _objects(data: Any) -> Iterator[Body]:
    """The objects of a document: those of a list, or the only one."""
    listed = data.get("items") if isinstance(data, dict) else None
    yield from public_only(listed if isinstance(listed, tuple) else (data,))


def public_only(bodies: Iterable[Any]) -> Iterator[Body]:
    """Those that are Kubernetes objects; of a Secret what is public."""
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

"""Reads the objects of each cluster from a folder with one folder per cluster, and which kinds are unknown there.

The files come from the script of `dump_script`, from `kubectl get -o yaml`, or from a GitOps repository. Ignores
everything that isn't a Kubernetes object. Keeps only the public part of a Secret, and removes the rest before any other
code sees it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from meshc.capture.dump_script import REMOTES
from meshc.capture.kinds import KINDS, KUBEADM, of_object
from meshc.capture.tree import Build, Folder, read_tree
from meshc.errors import MeshcError, UsageError
from meshc.hidden import Hidden
from meshc.issuing.given import given
from meshc.kube import Body, at, identity_of
from meshc.plan.istiod_values import KUBECONFIG
from meshc.trust.certificates import only_certificates
from meshc.trust.proofs import SERVER

if TYPE_CHECKING:
    from meshc.capture.installations import Told
    from meshc.disk.repository import Repository

_TELLING = {
    *("istio-reader-service-account", "istio-multi", "istio-sidecar-injector", "cacerts", "istiod", "istio-system"),
}
"""Names of objects that only a cluster of a mesh has."""
_OF_ENGINES = ("Application", "ApplicationSet", "AppProject", "GitRepository", "HelmRepository", "Kustomization")
"""The objects of Argo CD and Flux, whatever their name."""
PUBLIC = ("ca-cert.pem", "cert-chain.pem", "root-cert.pem", "tls.crt", "ca.crt")
CACERTS = "cacerts"
_FILES = {kind.word for kind in KINDS} | {CACERTS, REMOTES, KUBEADM, KUBECONFIG}
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

    def all(self, kind: str, namespace: str | None = None, name: str | None = None) -> list[Body]:
        """The objects of a kind."""
        return [
            body
            for body in self.bodies
            if body.get("kind") == kind
            and (namespace is None or at(body, "metadata", "namespace") == namespace)
            and (name is None or at(body, "metadata", "name") == name)
        ]


def dumps(folder: Repository, hint: str, build: Build) -> tuple[list[Dump], list[str]]:
    """One dump for each folder with objects or settings of Istio, and notes on the others.

    `build` builds kustomizations. Raises UsageError, with a hint, if there is none.
    """
    tree = read_tree(folder, build)
    found = {name: _dump(name, one) for name, one in tree.folders.items()}
    elsewhere = [told for one in tree.folders.values() for told in one.said if told.cluster]
    for name in dict.fromkeys(told.cluster for told in elsewhere):
        mine = tuple(told for told in elsewhere if told.cluster == name)
        before = found.get(name) or Dump(name, (), 0)
        found[name] = replace(before, said=(*before.said, *mine))
    apart = [part for _, one in sorted(found.items()) for part in _apart(one, tree.notes)]
    made = [one for one in _joined(apart) if one.bodies or one.said]
    telling = [one for one in made if one.known or one.said or any(map(_tells_of_istio, one.bodies))]
    for one in made if telling else ():
        if one not in telling:
            tree.notes.append(f"{one.cluster} tells nothing of an Istio: it is no cluster")
    made = telling or made
    if not made:
        raise UsageError(f'"{folder.base}" has no folder of Kubernetes objects for each cluster', hint)
    return made, tree.notes


def _apart(one: Dump, notes: list[str]) -> list[Dump]:
    """Splits a folder that describes Istio in several clusters into one dump for each."""
    names = dict.fromkeys(str(name) for told in one.said if (name := told.cluster_name))
    if len(names) < 2:
        return [one]
    notes.append(f"{one.cluster} tells of {', '.join(names)}: each is a cluster")
    return [replace(one, cluster=name, said=tuple(t for t in one.said if t.cluster_name == name)) for name in names]


def _joined(parts: Sequence[Dump]) -> list[Dump]:
    """Joins the dumps of the same cluster, because several folders can describe its installation of Istio."""
    found: dict[str, Dump] = {}
    for one in parts:
        found[one.cluster] = _both(found[one.cluster], one) if one.cluster in found else one
    for one in [*found.values()]:
        names = {told.cluster_name for told in one.said if told.cluster_name}
        name = names.pop() if len(names) == 1 and not any(map(_tells_of_istio, one.bodies)) else one.cluster
        if name != one.cluster and name in found:  # a folder of values for a cluster that also has its own folder
            found[name] = _both(found[name], found.pop(one.cluster))
    return list(found.values())


def _both(there: Dump, more: Dump) -> Dump:
    known = {identity_of(body) for body in there.bodies}
    return replace(
        there,
        bodies=(*there.bodies, *(body for body in more.bodies if identity_of(body) not in known)),
        passed_over=there.passed_over + more.passed_over,
        unread=(*there.unread, *more.unread),
        known=there.known | more.known,
        said=(*there.said, *more.said),
    )


def _tells_of_istio(body: Body) -> bool:
    """True if an object belongs to a control plane, to the access of one, or to the cluster itself."""
    metadata = at(body, "metadata")
    labels = metadata.get("labels") or {}
    return body["kind"] not in _OF_ENGINES and (
        body["kind"] == "Node"
        or metadata["name"] in _TELLING
        or bool(labels.keys() & {"istio.io/rev", "topology.istio.io/network"})
        or labels.get("app") in ("istiod", "sidecar-injector", "istio-reader")
        or labels.get("istio") in ("pilot", "eastwestgateway")
    )


def _dump(name: str, folder: Folder) -> Dump:
    """Reads one folder: its objects, and the kinds that its files contain completely."""
    bodies: list[Body] = []
    known: set[str] = set()
    telling = {told.where for told in folder.said}
    version = ""
    for where, data in folder.documents:
        word = where.rpartition("/")[2].rpartition(".")[0]
        known |= {word} & _FILES
        objects = list(_objects(data))
        said = str(at(data, "serverVersion", "gitVersion") or "")
        version = said or version
        if objects or said or word in _FILES:
            telling.add(where)
        if at(data, "kind") == "List":  # written by kubectl, which reads all objects of a kind
            known |= {word for body in objects if (word := word_of(body))}
            known |= {CACERTS, REMOTES} if any(body["kind"] == "Secret" for body in objects) else set()
        bodies += objects
    silent = {where for where, _ in folder.documents} - telling
    here = tuple(told for told in folder.said if not told.cluster)
    over = folder.passed_over + len(silent)
    return Dump(name, tuple(bodies), over, tuple(folder.left), frozenset(known), version, here)


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

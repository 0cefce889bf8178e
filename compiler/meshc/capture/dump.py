"""dump turns a folder of manifests, one folder a cluster, into the objects of each cluster.

They come from `kubectl get -o yaml`, or are a GitOps repository. What isn't a Kubernetes object is passed over. A dump
may hold secrets in plain text: of a Secret only what is public is kept, before anything else looks at it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.errors import MeshcError, UsageError
from meshc.hidden import Hidden
from meshc.kube import LABEL, Body, at
from meshc.seal.given import given
from meshc.trust.certificates import only_certificates
from meshc.trust.proofs import SERVER
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.disk.repository import Repository

PUBLIC = ("ca-cert.pem", "cert-chain.pem", "root-cert.pem", "tls.crt", "ca.crt")


@dataclass(frozen=True, slots=True)
class Dump:
    """The objects of a cluster, how many files held none, and why YAML in some couldn't be read."""

    cluster: str
    bodies: tuple[Body, ...]
    passed_over: int
    unread: tuple[str, ...] = ()

    def all(self, kind: str, namespace: str | None = None, name: str | None = None) -> list[Body]:
        """The objects of a kind."""
        return [
            body
            for body in self.bodies
            if body.get("kind") == kind
            and (namespace is None or at(body, "metadata", "namespace") == namespace)
            and (name is None or at(body, "metadata", "name") == name)
        ]


def dumps(folder: Repository) -> list[Dump]:
    """One for each folder whose name can be a cluster's. Raises UsageError where there is none."""
    found: dict[str, list[Body]] = {}
    passed: dict[str, int] = {}
    unread: dict[str, list[str]] = {}
    for path in folder.list_files("."):
        cluster, below, _ = path.partition("/")
        if not below or not LABEL.fullmatch(cluster):
            continue
        documents, problems = (
            read(folder.read_file(path), path) if path.endswith((".yaml", ".yml", ".json")) else ((), ())
        )
        bodies = [] if problems else [body for document in documents for body in _objects(document.data)]
        if problems:  # a template of Helm's, or a dump that is cut off: a line of it may be secret, and isn't shown
            unread.setdefault(cluster, []).append(f"{problems[0].place}: {problems[0].code.title}")
        found.setdefault(cluster, []).extend(bodies)
        passed[cluster] = passed.get(cluster, 0) + (not bodies)
    made = [
        Dump(name, tuple(bodies), passed[name], tuple(unread.get(name, ())))
        for name, bodies in sorted(found.items())
        if bodies
    ]
    if not made:
        hint = (
            "kubectl --context CTX get ns,svc,deploy,cm,secret,endpointslices,nodes -A -o yaml > DIR/CLUSTER/all.yaml"
        )
        raise UsageError(f'"{folder.base}" has no folder of Kubernetes objects for each cluster', hint)
    return made


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
    for field in ("data", "stringData"):
        for key, value in (body.get(field) or {}).items() if isinstance(body.get(field), dict) else ():
            kept[key] = _public(key, value, field == "data")
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

"""Reads lists of clusters in the formats of other programs, as entries with places.

Never reads credentials. Keys that a format doesn't have are left out.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from meshc.mesh.user_files import Manifest, objects_in

if TYPE_CHECKING:
    from meshc.errors import Path
    from meshc.kube import Body
    from meshc.yamltext.document import Document

Found = tuple[Any, "Path"]
"""A value, and its path in the document."""
IN_CLUSTER = "https://kubernetes.default.svc"
"""Argo CD's name for its own cluster."""
_VERSION = re.compile(r"v?([0-9]{1,3}\.[0-9]{1,3})(?![0-9])")
_OF_ARGO = "argocd.argoproj.io/"
_VERSION_OF_ARGO = "argocd.argoproj.io/kubernetes-version"


@dataclass(frozen=True, slots=True)
class Entry:
    """One cluster of an inventory: its keys in the terms of mesh.yaml, each with its path in the file."""

    document: Document
    at: Path
    found: Mapping[str, Found] = field(default_factory=dict)

    @property
    def name(self) -> Any:
        return self.found["name"][0] if "name" in self.found else None


def entries(form: str, documents: Iterable[Document], fields: Mapping[str, str], at: str) -> Iterator[Entry]:
    """The clusters in some documents.

    `fields` has the path of a key if it isn't the usual one of the format. `at` is the path of the list, for format
    `list`.
    """
    for document in documents:
        for path, body in _bodies(form, document, at):
            found = dict(_FORMS[form](body, path))
            for key, words in fields.items():
                found.pop(key, None)
                if (value := _at(body, path, words)) is not None:
                    found[key] = value
            yield Entry(
                document, path, {key: told for key, told in map(_settled, found.items()) if told[0] is not None}
            )


def _bodies(form: str, document: Document, at: str) -> Iterator[tuple[Path, Any]]:
    if form == "list":
        listed = _at(document.data, (), at) if at else (document.data, ())
        yield from _items(*listed) if listed else ()
    elif form == "kubeconfig":
        told = _at(document.data, (), "clusters")
        yield from _items(*told) if told else ()
    else:
        for _, path, body in objects_in([Manifest(document)]):
            if isinstance(body, dict) and body.get("kind") == _KINDS[form] and not _is_repository(body):
                yield path, body


def _is_repository(body: Body) -> bool:
    """True if a Secret has a label by which Argo CD uses it for something other than a cluster."""
    return bool(_mapping(body, "metadata", "labels").get(f"{_OF_ARGO}secret-type", "cluster") != "cluster")


def form_of(documents: Sequence[Document]) -> str:
    """The format of other programs in which some documents list clusters; empty if it is none of them."""
    named = (
        form
        for form in (*_KINDS, "kubeconfig")
        if any(one.name and (form in _KINDS or "apiServer" in one.found) for one in entries(form, documents, {}, ""))
    )
    return next(named, "")


_KINDS = {"argocd-secrets": "Secret", "clusterprofiles": "ClusterProfile", "cluster-api": "Cluster"}


def _items(listed: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """The items of a list; or the values of a mapping, each with its key as `name` if it has no name."""
    if isinstance(listed, tuple):
        yield from (((*path, number), item) for number, item in enumerate(listed))
    elif isinstance(listed, dict):
        for key, item in listed.items():
            yield (*path, key), {"name": key, **item} if isinstance(item, dict) else item


def _argo_cd(body: Any, path: Path) -> Iterator[tuple[str, Found]]:
    labels = _mapping(body, "metadata", "labels")
    for key, ours in (("name", "name"), ("server", "apiServer")):
        told = _of_secret(body, path, key)
        if told and told[0] != IN_CLUSTER:
            yield ours, told
    if _VERSION_OF_ARGO in labels:
        yield "kubernetesVersion", (labels[_VERSION_OF_ARGO], (*path, "metadata", "labels", _VERSION_OF_ARGO))
    own = {key: value for key, value in labels.items() if not key.startswith(_OF_ARGO)}
    if own:
        yield "labels", (own, (*path, "metadata", "labels"))


def _of_secret(body: Any, path: Path, key: str) -> Found | None:
    if isinstance(plain := _mapping(body, "stringData").get(key), str):
        return plain, (*path, "stringData", key)
    if isinstance(coded := _mapping(body, "data").get(key), str):
        try:
            return base64.b64decode(coded, validate=True).decode(), (*path, "data", key)
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
    return None


def _cluster_profile(body: Any, path: Path) -> Iterator[tuple[str, Found]]:
    yield from _chosen(body, path, {"name": "metadata.name", "labels": "metadata.labels"})
    yield from _chosen(body, path, {"kubernetesVersion": "status.version.kubernetes"})
    for providers in ("accessProviders", "credentialProviders"):
        listed = _mapping(body, "status").get(providers)
        for number, one in enumerate(listed if isinstance(listed, tuple) else ()):
            if isinstance(server := _mapping(one, "cluster").get("server"), str):
                yield "apiServer", (server, (*path, "status", providers, number, "cluster", "server"))
                return


def _cluster_api(body: Any, path: Path) -> Iterator[tuple[str, Found]]:
    yield from _chosen(
        body,
        path,
        {
            "name": "metadata.name",
            "labels": "metadata.labels",
            "podCIDRs": "spec.clusterNetwork.pods.cidrBlocks",
            "serviceCIDRs": "spec.clusterNetwork.services.cidrBlocks",
            "kubernetesVersion": "spec.topology.version",
        },
    )
    endpoint = _mapping(body, "spec", "controlPlaneEndpoint")
    host, port = endpoint.get("host"), endpoint.get("port")
    if isinstance(host, str) and host and isinstance(port, int) and port:
        shown = f"[{host}]" if ":" in host else host
        yield "apiServer", (f"https://{shown}:{port}", (*path, "spec", "controlPlaneEndpoint", "host"))


def _kubeconfig(body: Any, path: Path) -> Iterator[tuple[str, Found]]:
    yield from _chosen(body, path, {"name": "name", "apiServer": "cluster.server"})


def _list(body: Any, path: Path) -> Iterator[tuple[str, Found]]:
    yield from _chosen(body, path, {key: key for key in KEYS})


_FORMS: Mapping[str, Callable[[Any, Path], Iterator[tuple[str, Found]]]] = {
    "argocd-secrets": _argo_cd,
    "clusterprofiles": _cluster_profile,
    "cluster-api": _cluster_api,
    "kubeconfig": _kubeconfig,
    "list": _list,
}
FORMATS = tuple(_FORMS)
KEYS = (
    *("name", "clusterID", "role", "primary", "network", "labels", "apiServer", "kubernetesVersion"),
    *("podCIDRs", "serviceCIDRs"),
)
"""Keys of a cluster that an inventory may set."""


def _chosen(body: Any, path: Path, words: Mapping[str, str]) -> Iterator[tuple[str, Found]]:
    for key, way in words.items():
        if (told := _at(body, path, way)) is not None:
            yield key, told


def _at(data: Any, path: Path, words: str) -> Found | None:
    """The value at a path such as `metadata.labels.site`; a key that contains dots is found too."""
    if not words:
        return data, path
    if isinstance(data, dict):
        parts = words.split(".")
        for length in range(len(parts), 0, -1):
            key = ".".join(parts[:length])
            if key in data:
                return _at(data[key], (*path, key), ".".join(parts[length:]))
    if isinstance(data, tuple):
        first, _, rest = words.partition(".")
        if first.isascii() and first.isdigit() and len(first) < 6 and int(first) < len(data):
            return _at(data[int(first)], (*path, int(first)), rest)
    return None


def value_at(data: Any, words: str) -> Found | None:
    """The value at a path that is written as text, with its path in the document."""
    return _at(data, (), words)


def _mapping(data: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _settled(told: tuple[str, Found]) -> tuple[str, Found]:
    """A value in the form of mesh.yaml: versions without build suffix, ranges as a list."""
    key, (value, path) = told
    if key == "kubernetesVersion":
        match = _VERSION.match(value) if isinstance(value, str) else None
        value = match[1] if match else value
    elif key in ("podCIDRs", "serviceCIDRs") and isinstance(value, str):
        value = tuple(part.strip() for part in value.split(",") if part.strip())
    elif key == "labels" and isinstance(value, dict):
        value = {name: text for name, text in value.items() if isinstance(text, str)}
    return key, (None if value in ("", (), {}) else value, path)

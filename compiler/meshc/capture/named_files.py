"""Finds what a document of a GitOps tree names: files of values, folders, ConfigMaps.

Engines name files from the repository's top, kustomize from the file that names them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.errors import MeshcError
from meshc.kube import at, identity_of
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.disk.repository import Repository

_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside the documents of one cluster. Never raises for what isn't there or can't be read."""

    repository: Repository
    documents: Sequence[tuple[str, Any]]

    def place(self, path: str) -> str:
        """A path from the repository's top as one from the folder that is read."""
        return posixpath.relpath(posixpath.join(self.repository.root, path), self.repository.base)

    def mapping(self, path: str) -> Mapping[str, Any] | None:
        """The data of a YAML file; None where there is no such file, or no mapping in it."""
        for place in dict.fromkeys((self.place(path), path)):
            try:
                documents, problems = read(self.repository.read_file(place), place)
            except (MeshcError, OSError, ValueError):
                continue
            if documents and not problems and isinstance(documents[0].data, dict):
                return documents[0].data
        return None

    def matching(self, pattern: str) -> Sequence[str]:
        """The files of a pattern, by their paths from the top."""
        try:
            found = self.repository.match_files(self.place(pattern))
        except (MeshcError, OSError, ValueError):
            return ()
        return [posixpath.relpath(self.repository.base / path, self.repository.root) for path in found]

    def folders(self, pattern: str) -> Sequence[str]:
        """The folders of a pattern that hold files, by their paths from the top."""
        length = len(pattern.strip("/").split("/"))
        below = ["/*" * depth for depth in range(1, _DEPTH + 1)]
        paths = [path for more in below for path in self.matching(pattern.strip("/") + more)]
        return sorted({"/".join(path.split("/")[:length]) for path in paths})

    def config_map(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        """What a ConfigMap among the documents says."""
        for body in _objects(data for _, data in self.documents):
            identity = identity_of(body)
            if (identity.kind, identity.name) == ("ConfigMap", name) and identity.namespace in ("", namespace):
                found = at(body, "data")
                return found if isinstance(found, dict) else None
        return None


def _objects(documents: Iterable[Any]) -> Iterable[Mapping[str, Any]]:
    return (one for one in documents if isinstance(one, dict) and one.get("kind"))

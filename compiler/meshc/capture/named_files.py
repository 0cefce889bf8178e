"""Finds the files of values, folders and ConfigMaps that a document of a GitOps tree names.

In objects of engines, paths start at the repository's top. In kustomizations, they start at the file with the path.
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
    """Access to the files and ConfigMaps that the documents of one cluster name. Never raises for missing or unreadable
    ones."""

    repository: Repository
    documents: Sequence[tuple[str, Any]]

    def place(self, path: str) -> str:
        """Converts a path from the repository's top to a path from the folder that is read."""
        return posixpath.relpath(posixpath.join(self.repository.root, path), self.repository.base)

    def mapping(self, path: str) -> Mapping[str, Any] | None:
        """The data of a YAML file; None if there is no such file, or if it isn't a mapping."""
        for place in dict.fromkeys((self.place(path), path)):
            try:
                documents, problems = read(self.repository.read_file(place), place)
            except (MeshcError, OSError, ValueError):
                continue
            if documents and not problems and isinstance(documents[0].data, dict):
                return documents[0].data
        return None

    def matching(self, pattern: str) -> Sequence[str]:
        """The files that match a pattern, by their paths from the top."""
        try:
            found = self.repository.match_files(self.place(pattern))
        except (MeshcError, OSError, ValueError):
            return ()
        return [posixpath.relpath(self.repository.base / path, self.repository.root) for path in found]

    def folders(self, pattern: str) -> Sequence[str]:
        """The folders that match a pattern and contain files, by their paths from the top."""
        length = len(pattern.strip("/").split("/"))
        below = ["/*" * depth for depth in range(1, _DEPTH + 1)]
        paths = [path for more in below for path in self.matching(pattern.strip("/") + more)]
        return sorted({"/".join(path.split("/")[:length]) for path in paths})

    def config_map(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        """The data of a ConfigMap among the documents."""
        for body in _objects(data for _, data in self.documents):
            identity = identity_of(body)
            if (identity.kind, identity.name) == ("ConfigMap", name) and identity.namespace in ("", namespace):
                found = at(body, "data")
                return found if isinstance(found, dict) else None
        return None


def _objects(documents: Iterable[Any]) -> Iterable[Mapping[str, Any]]:
    return (one for one in documents if isinstance(one, dict) and one.get("kind"))

"""One document of a YAML stream: its data, and the place of each part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meshc.errors import Path, Place, dotted

Mark = tuple[int, int]
"""Line and column from 1; columns count characters."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a YAML stream. `data` is made of dict, tuple, str, int, float, bool and None.

    `values` tells where each value begins, `keys` where the key of each mapping entry stands, `texts` the
    characters of each plain (unquoted) scalar that is no string, or that kustomize takes for none; all by
    path. An alias, and what is inside it, stands at the alias.
    """

    data: Any
    file: str
    values: Mapping[Path, Mark]
    keys: Mapping[Path, Mark]
    texts: Mapping[Path, str]

    def at(self, path: Path) -> tuple[Document, Path]:
        """The document of the file in which a path stands, and the path there."""
        return self, path

    def place(self, path: Path) -> Place:
        """Where a problem with the value at `path` is shown: a collection at its key, all else at the value.

        A path that isn't there is shown at its nearest ancestor.
        """
        document, path = self.at(path)
        while path and path not in document.values:
            path = path[:-1]
        value = document.data
        for step in path:
            value = value[step]
        mark = document.values.get(path, (1, 1))
        return Place(document.file, *(document.keys.get(path, mark) if isinstance(value, dict | tuple) else mark))

    def key_place(self, path: Path) -> Place:
        """Where the key of the entry at `path` stands; `place(path)` where there is none."""
        document, inner = self.at(path)
        return Place(document.file, *document.keys[inner]) if inner in document.keys else self.place(path)

    def text(self, path: Path) -> str | None:
        """The characters at `path`, where `texts` has them."""
        document, inner = self.at(path)
        return document.texts.get(inner)

    def name(self, path: Path) -> str:
        """A path as people write it, in the file where it stands."""
        return dotted(self.at(path)[1])

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

    `values` has the place of each value, `keys` the place of the key of each mapping entry, and `texts` the characters
    of each plain (unquoted) scalar that isn't a string, or that kustomize doesn't read as a string; all by path. The
    place of an alias, and of everything inside it, is the alias.
    """

    data: Any
    file: str
    values: Mapping[Path, Mark]
    keys: Mapping[Path, Mark]
    texts: Mapping[Path, str]

    def at(self, path: Path) -> tuple[Document, Path]:
        """The document of the file that contains a path, and the path in this file."""
        return self, path

    def place(self, path: Path) -> Place:
        """The place for a problem with the value at `path`: for a collection its key, for other values the value.

        If the path doesn't exist, the place of its nearest ancestor.
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
        """The place of the key of the entry at `path`; `place(path)` if there is none."""
        document, inner = self.at(path)
        return Place(document.file, *document.keys[inner]) if inner in document.keys else self.place(path)

    def text(self, path: Path) -> str | None:
        """The characters at `path`, if `texts` has them."""
        document, inner = self.at(path)
        return document.texts.get(inner)

    def name(self, path: Path) -> str:
        """A path as people write it, in the file that contains it."""
        return dotted(self.at(path)[1])

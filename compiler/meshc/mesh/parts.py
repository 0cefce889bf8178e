"""Joins mesh.yaml and the files that it includes into one document. Each path of the document still leads to its own
file."""

from __future__ import annotations

import posixpath
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any, get_args

from meshc.mesh.model import Granted
from meshc.mesh.rebase import rebased
from meshc.yamltext.document import Document

if TYPE_CHECKING:
    from meshc.errors import Path

LISTS: tuple[str, ...] = get_args(Granted)
"""The lists of spec that parts may have."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file that mesh.yaml includes. `path` leads there from mesh.yaml, `include` is the number of the entry."""

    path: str
    include: int
    may: tuple[str, ...]
    data: bytes = field(repr=False)
    document: Document

    @property
    def lists(self) -> Mapping[str, tuple[Any, ...]]:
        """The lists that the part has and may have."""
        return {key: held for key, held in lists_in(self.document).items() if key in self.may}


def lists_in(document: Document) -> Mapping[str, tuple[Any, ...]]:
    """The lists of spec that are lists."""
    spec = document.data.get("spec") if isinstance(document.data, dict) else None
    held = spec if isinstance(spec, dict) else {}
    return {key: held[key] for key in LISTS if isinstance(held.get(key), tuple)}


@dataclass(frozen=True, slots=True)
class Joined(Document):
    """The document of mesh.yaml with the lists of its parts after its own. Everything else is in mesh.yaml."""

    root: Document
    holders: Mapping[str, Sequence[Document]]
    """For each list, the documents with entries of it, mesh.yaml first if it has any."""
    starts: Mapping[str, Sequence[int]]
    """For each list, the number of the first entry in each document."""

    def at(self, path: Path) -> tuple[Document, Path]:
        match path:
            case ("spec", str(key), int(number), *below) if key in self.starts:
                which = bisect_right(self.starts[key], number) - 1
                return self.holders[key][which], ("spec", key, number - self.starts[key][which], *below)
            case ("spec", str(key), *_) if key in self.holders:
                return self.holders[key][0], path
        return self.root, path


def join(root: Document, parts: Sequence[Part], home: str) -> Document:
    """One document; without parts, the document of mesh.yaml.

    Takes only the allowed lists of each part. Makes paths in parts relative to mesh.yaml, which is in folder `home` of
    its repository. If mesh.yaml has another value instead of a list, that value stays.
    """
    spec = root.data.get("spec") if isinstance(root.data, dict) else None
    if not parts or not isinstance(spec, dict):
        return root
    holders: dict[str, list[Document]] = {}
    lengths: dict[str, list[int]] = {}
    joined = dict(spec)
    for key, document, entries in _entries(root, parts, home):
        if key in spec and not isinstance(spec[key], tuple):
            continue
        joined[key] = entries if document is root else (*joined.get(key, ()), *entries)
        holders.setdefault(key, []).append(document)
        lengths.setdefault(key, []).append(len(entries))
    starts = {key: [0, *accumulate(counts[:-1])] for key, counts in lengths.items()}
    data = {**root.data, "spec": joined}
    return Joined(data, root.file, root.values, root.keys, root.texts, root, holders, starts)


def _entries(root: Document, parts: Sequence[Part], home: str) -> Iterator[tuple[str, Document, tuple[Any, ...]]]:
    for key, entries in lists_in(root).items():
        yield key, root, entries
    for part in parts:
        folder = posixpath.dirname(part.path)
        for key, entries in part.lists.items():
            if entries:
                yield key, part.document, rebased(key, entries, folder, home) if folder else entries

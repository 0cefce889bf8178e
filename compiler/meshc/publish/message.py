"""message turns what stood and what is to stand into the message of the commit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from meshc import __version__
from meshc.output.trees import VERSIONS
from meshc.overlays.layout import BASES
from meshc.tree import FileTree

_SOURCE = re.compile(rb"^Source-Commit: ([0-9a-f]{40,64})(?:-dirty)?$", re.MULTILINE)
SOURCE_PATTERN = "^Source-Commit: [0-9a-f]"
_LISTED = 20


@dataclass(frozen=True, slots=True)
class _Changes:
    added: int
    changed: int
    removed: int

    def __str__(self) -> str:
        return f"{self.added} to add, {self.changed} to change, {self.removed} to delete"


def counts(before: FileTree, after: FileTree) -> str:
    """How much changes, in a line: `3 to add, 1 to change, 0 to delete in 2 clusters`."""
    clusters = len(_touched(before, after))
    return f"{_count(before, after, _paths(before, after))} in {clusters} cluster{'' if clusters == 1 else 's'}"


def message(mesh: str, before: FileTree, after: FileTree, source: str, kustomize: str) -> str:
    """The whole message; `source` is the commit that mesh.yaml was compiled from, "" for none."""
    touched = _touched(before, after)
    lines = [f"{name}: {_count(before, after, paths)}" for name, paths in sorted(touched.items())]
    if len(lines) > _LISTED:
        lines[_LISTED:] = [f"and {len(lines) - _LISTED} more"]
    trailers = [f"Source-Commit: {source}"] if source else []
    trailers += [f"Meshc-Version: {__version__}", f"Kustomize-Version: {kustomize}"]
    blocks = [[f"meshc: {mesh}: {counts(before, after)}"], lines, trailers]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def source_in(commit: bytes) -> str:
    """The source that the last trailer of a commit names; "" if none does."""
    found = _SOURCE.findall(commit)
    return found[-1].decode() if found else ""


def _paths(before: FileTree, after: FileTree) -> list[str]:
    return [path for path in {*before, *after} - {VERSIONS} if before.get(path) != after.get(path)]


def _touched(before: FileTree, after: FileTree) -> dict[str, list[str]]:
    """The paths that differ, by cluster."""
    clusters: dict[str, list[str]] = {}
    for path in _paths(before, after):
        unit = path.split("/")[1]
        if unit != BASES:
            clusters.setdefault(unit, []).append(path)
    return clusters


def _count(before: FileTree, after: FileTree, paths: Iterable[str]) -> _Changes:
    listed = list(paths)
    added, removed = (sum(path not in tree for path in listed) for tree in (before, after))
    return _Changes(added, len(listed) - added - removed, removed)

"""Writes the commit message from the old and the new content."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from meshc.errors import MeshcError
from meshc.output.trees import OUTPUT
from meshc.review.diff import Action, compare, renames
from meshc.tree import FileTree
from meshc.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SOURCE = re.compile(rb"^Source-Commit: ([0-9a-f]{40,64})(?:-dirty)?$", re.MULTILINE)
SOURCE_PATTERN = "^Source-Commit: [0-9a-f]"
_LISTED = 20
_ALIKE, _NAMED = 4, 3


def message(mesh: str, before: FileTree, after: FileTree, source: str, kustomize: str) -> str:
    """The whole message; `source` is the commit that mesh.yaml was compiled from, "" for none."""
    trailers = [f"Source-Commit: {source}"] if source else []
    trailers += [f"Meshc-Version: {__version__}", f"Kustomize-Version: {kustomize}"]
    summary, *lines = _told(before.under(OUTPUT), after.under(OUTPUT))
    blocks = [[f"meshc: {mesh}: {summary}"], lines, trailers]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def source_in(commit: bytes) -> str:
    """The source in the last trailer of a commit; "" if there is none."""
    found = _SOURCE.findall(commit)
    return found[-1].decode() if found else ""


def _told(before: FileTree, after: FileTree) -> list[str]:
    """The numbers of changed objects: in total, and for each cluster."""
    try:
        difference = compare(before, after, renames(before, after, {}))
    except MeshcError:  # the old file isn't valid YAML: it is replaced, and its objects can't be counted
        return ["the old files are replaced"]
    clusters: dict[str, Counter[Action]] = {}
    for entry in difference.entries:
        for name in entry.clusters:
            clusters.setdefault(name, Counter())[entry.action] += 1
    alike: dict[str, list[str]] = {}
    for name, counts in sorted(clusters.items()):
        alike.setdefault(", ".join(f"{counts[one]} to {one}" for one in Action if counts[one]), []).append(name)
    lines = sorted(line for told, names in alike.items() for line in _lines(told, names))
    more = len(lines) - _LISTED
    return [difference.summary, *lines[:_LISTED], *([f"and {more} more"] if more > 0 else [])]


def _lines(told: str, names: Sequence[str]) -> Iterator[str]:
    """A line for each cluster, or one for many clusters of which the same is told."""
    if len(names) > _ALIKE:
        yield f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more: {told} each"
    else:
        yield from (f"{name}: {told}" for name in names)

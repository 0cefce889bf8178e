"""theirs turns objects that run and those that meshc would apply into two trees that differ where an apply changes one.

Of an object that runs only what ours says is looked at: the rest are defaults, or what controllers wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from meshc.kube import identity_of
from meshc.tree import FileTree
from meshc.yamltext.read import read
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.kube import Body, Identity

FILE = "objects.yaml"


def as_applied(theirs: Mapping[str, Sequence[Body]], output: FileTree) -> tuple[FileTree, FileTree]:
    """Both sides by cluster, for `review.diff.compare`. Secrets are left out: they are sealed, or not to be shown."""
    before: dict[str, bytes] = {}
    after: dict[str, bytes] = {}
    for cluster, bodies in theirs.items():
        running = {identity_of(body): body for body in bodies}
        mine = _objects(output.under(cluster))
        there = [_as_far_as(running[one], body) for one, body in mine.items() if one in running]
        before[f"{cluster}/{FILE}"] = _text(there)
        after[f"{cluster}/{FILE}"] = _text(list(mine.values()))
    return FileTree(before), FileTree(after)


def _objects(tree: FileTree) -> dict[Identity, Body]:
    found: dict[Identity, Body] = {}
    for path, data in tree.items():
        for document in read(data, path)[0]:
            if isinstance(document.data, dict) and document.data.get("kind") not in (None, "Secret", "Kustomization"):
                found[identity_of(document.data)] = document.data
    return found


def _as_far_as(theirs: Any, ours: Any) -> Any:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return {key: _as_far_as(theirs[key], ours[key]) for key in ours if key in theirs}
    if isinstance(theirs, list | tuple) and isinstance(ours, list | tuple) and len(theirs) == len(ours):
        return [_as_far_as(one, other) for one, other in zip(theirs, ours, strict=True)]
    return theirs


def _text(bodies: Sequence[Body]) -> bytes:
    return "---\n".join(write(body) for body in bodies).encode()

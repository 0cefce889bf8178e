"""Finds the lines in the user's files that set a value, from the path of the value in its object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meshc.overlays.reaching import reaching

if TYPE_CHECKING:
    from meshc.checks.applied.view import Causes
    from meshc.errors import Path, Place
    from meshc.kube import Body
    from meshc.plan.files import PatchPlan, UserObject
    from meshc.plan.ir import ClusterPlan


def of_patches(cluster: ClusterPlan, body: Body, own: UserObject | None = None) -> Causes:
    """Finds the lines in the patches that match an object, and in the user's file that defines it, if there is one."""

    def causes(path: Path) -> list[Place]:
        reached = [patch for patch in cluster.patches if reaching(patch)(body)] or cluster.patches
        found = [*_lines(reached, path)]
        if own is not None:
            found.append((_depth(own.body, path), own.at(path)))
        deepest = max((depth for depth, _ in found), default=0)
        best = [place for depth, place in found if depth == deepest]
        components = [component.place for component in cluster.components]
        return list(dict.fromkeys([*(best if deepest or not components else components), *components])) or [
            cluster.place
        ]

    return causes


def of_object(one: UserObject) -> Causes:
    """Finds the lines of an object in a user's file."""
    return lambda path: [one.at(path)]


def at_place(place: Place) -> Causes:
    return lambda _: [place]


def _lines(patches: Iterable[PatchPlan], path: Path) -> Iterator[tuple[int, Place]]:
    """The line where each patch changes the path or a parent of it, with the number of steps that they share."""
    for patch in patches:
        for one in patch.file.objects:
            if not isinstance(one.body, tuple):
                yield _depth(one.body, path), one.at(path)
                continue
            for number, step in enumerate(one.body):
                written = _decoded(step.get("path"))
                common = next((n for n, (a, b) in enumerate(zip(written, path, strict=False)) if a != b), None)
                depth = min(len(written), len(path)) if common is None else common
                yield depth, one.at((number,))


def _depth(body: Any, path: Path) -> int:
    """The number of steps of a path that exist in a value."""
    for depth, step in enumerate(path):
        if not isinstance(body, Mapping) or step not in body:
            return depth
        body = body[str(step)]
    return len(path)


def _decoded(path: Any) -> tuple[str, ...]:
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in str(path).split("/")[1:])

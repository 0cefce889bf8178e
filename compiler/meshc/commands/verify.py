"""Compares what was put together without kustomize with what real kustomize builds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.commands.compiling import compiled_whole, rendered_of, rendered_whole
from meshc.output.link import Link

if TYPE_CHECKING:
    from meshc.commands.opened import Opened
    from meshc.tree import FileTree


@dataclass(frozen=True, slots=True)
class Verified:
    """The version of kustomize, the clusters that it built, and the files of output/ whose bytes differ."""

    kustomize: str
    clusters: tuple[str, ...]
    differing: tuple[str, ...]


def verified(opened: Opened, sample: int | None, jobs: int | None) -> Verified:
    """Renders both ways: all clusters, or `sample` of them, spread over the mesh. Writes nothing but the cache."""
    compiled = compiled_whole(opened)
    ours = rendered_whole(opened, compiled, jobs).trees
    chosen = _spread([cluster.name for cluster in compiled.plan.clusters], sample)
    theirs = rendered_of(opened, compiled, jobs, Link.KUSTOMIZE, chosen).trees
    differing = [f"output/{name}/{path}" for name in chosen for path in _differing(ours[name], theirs[name])]
    return Verified(str(opened.kustomize.version), tuple(chosen), tuple(differing))


def _spread(names: list[str], sample: int | None) -> list[str]:
    """As many as asked for, spread over all of them; the same ones each time."""
    if sample is None or sample >= len(names):
        return names
    return [names[number * len(names) // sample] for number in range(sample)]


def _differing(ours: FileTree, theirs: FileTree) -> list[str]:
    return [path for path in sorted({*ours, *theirs}) if ours.get(path) != theirs.get(path)]

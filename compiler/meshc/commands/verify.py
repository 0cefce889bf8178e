"""Compares the output of meshc's own renderer with the output of real kustomize."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.commands.clusters import Choice
from meshc.commands.clusters import chosen as all_chosen
from meshc.commands.compiling import compiled_unrendered, compiled_whole, rendered_of, rendered_whole
from meshc.commands.focus import Focus
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


def verified(opened: Opened, choice: Choice, sample: int | None, jobs: int | None) -> Verified:
    """Renders the selected clusters, or `sample` of them, in both ways. Writes nothing except the cache."""
    compiled = compiled_whole(opened)
    ours = rendered_whole(opened, compiled, jobs).trees
    if left := Focus.on(compiled.plan, choice).left:
        opened.listener.note(f"  note: {left}")
    chosen = _spread(all_chosen(compiled.plan, choice), sample)
    again = compiled_unrendered(opened, Link.KUSTOMIZE)
    theirs = rendered_of(opened, again, jobs, Link.KUSTOMIZE, chosen).trees
    differing = [f"output/{name}/{path}" for name in chosen for path in _differing(ours[name], theirs[name])]
    return Verified(str(opened.kustomize.version), tuple(chosen), tuple(differing))


def _spread(names: list[str], sample: int | None) -> list[str]:
    """A sample of the clusters, spread over all of them; the same each time."""
    if sample is None or sample >= len(names):
        return names
    return [names[number * len(names) // sample] for number in range(sample)]


def _differing(ours: FileTree, theirs: FileTree) -> list[str]:
    return [path for path in sorted({*ours, *theirs}) if not _equal(ours.get(path), theirs.get(path))]


def _equal(ours: bytes | None, theirs: bytes | None) -> bool:
    """True if two files are the same, except for U+0085, which kustomize writes in a form that a YAML parser reads as a
    space."""
    if ours == theirs or ours is None or theirs is None:
        return ours == theirs
    lines = [ours.split(b"\n"), theirs.split(b"\n")]
    return len(lines[0]) == len(lines[1]) and all(
        mine == other or (_NEXT_LINE in mine and _blank(mine) == _blank(other))
        for mine, other in zip(*lines, strict=True)
    )


_NEXT_LINE = rb"\N"
"""The form in which meshc writes U+0085 in quotes."""


def _blank(line: bytes) -> bytes:
    return line.replace(_NEXT_LINE, b" ").replace("\u0085".encode(), b" ").replace(b'"', b"")

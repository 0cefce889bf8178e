"""`meshc verify`: what was put together without kustomize, beside what real kustomize builds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from meshc.cli.progress import TERMINAL, progress
from meshc.cli.report import Format, count, say, show_json, tell
from meshc.commands.compiling import compiled_whole, rendered_whole
from meshc.commands.opened import Opened
from meshc.errors import Exit
from meshc.output.link import Link
from meshc.output.render import render

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.tree import FileTree


def verify_command(file: Path, sample: int | None, jobs: int | None, form: Format) -> None:
    """Exits 1 where a byte differs. Nothing is written but the cache."""
    opened = Opened(file, listener=TERMINAL)
    compiled = compiled_whole(opened)
    ours = rendered_whole(opened, compiled, jobs).trees
    chosen = _spread([cluster.name for cluster in compiled.plan.clusters], sample)
    with progress("building by kustomize", len(chosen)) as done:
        theirs = render(
            compiled.plan,
            compiled.layout,
            opened.kustomize,
            opened.repository,
            chosen,
            jobs or 0,
            done,
            Link.KUSTOMIZE,
            compiled.settle,
        ).trees
    differing = [f"output/{name}/{path}" for name in chosen for path in _differing(ours[name], theirs[name])]
    if form is Format.JSON:
        show_json({"kustomize": str(opened.kustomize.version), "clusters": chosen, "differing": differing})
    else:
        for path in differing:
            tell(f"differs: {path}")
        if not differing:
            tell(f"equal to kustomize {opened.kustomize.version}: {count(len(chosen), 'cluster')}")
    if differing:
        say("  hint: compile with --link kustomize, and report this with the objects that differ")
        raise typer.Exit(Exit.DIFFERS)


def _spread(names: list[str], sample: int | None) -> list[str]:
    """As many as asked for, spread over all of them; the same ones each time."""
    if sample is None or sample >= len(names):
        return names
    return [names[number * len(names) // sample] for number in range(sample)]


def _differing(ours: FileTree, theirs: FileTree) -> list[str]:
    return [path for path in sorted({*ours, *theirs}) if not _equal(ours.get(path), theirs.get(path))]


def _equal(ours: bytes | None, theirs: bytes | None) -> bool:
    """Whether two files are the same, but for U+0085: kustomize writes it so that it reads back as a blank."""
    if ours == theirs or ours is None or theirs is None:
        return ours == theirs
    lines = [ours.split(b"\n"), theirs.split(b"\n")]
    return len(lines[0]) == len(lines[1]) and all(
        mine == other or (_NEXT_LINE in mine and _blank(mine) == _blank(other))
        for mine, other in zip(*lines, strict=True)
    )


_NEXT_LINE = rb"\N"
"""How meshc writes U+0085, in quotes."""


def _blank(line: bytes) -> bytes:
    return line.replace(_NEXT_LINE, b" ").replace("\u0085".encode(), b" ").replace(b'"', b"")

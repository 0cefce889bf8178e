"""compiling turns an opened mesh into what was compiled, and that into the trees of output/."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.progress import progress
from meshc.output.render import render
from meshc.pipeline import Compiled, compile_mesh, stop_on_kustomize

if TYPE_CHECKING:
    from meshc.cli.opened import Opened
    from meshc.tree import FileTree


def compiled_whole(opened: Opened) -> Compiled:
    """Everything but the rendering, of every cluster. Writes nothing."""
    compiled = compile_mesh(opened.source, opened.repository, lambda: opened.kustomize)
    stop_on_kustomize(compiled, opened.source, opened.kustomize)
    return compiled


def rendered_whole(opened: Opened, compiled: Compiled, jobs: int | None) -> dict[str, FileTree]:
    """output/ of every cluster, with a bar where it takes a while. Writes nothing but its cache."""
    plan = compiled.plan
    with progress("rendering", len(plan.clusters)) as done:
        return render(plan, compiled.layout, opened.kustomize, opened.repository, jobs=jobs or 0, done=done)

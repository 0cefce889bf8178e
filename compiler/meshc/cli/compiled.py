"""compiled turns an opened mesh into both trees as they should stand, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.progress import progress
from meshc.output.render import render
from meshc.output.trees import expected_tree
from meshc.pipeline import Compiled, compile_mesh, stop_on_kustomize

if TYPE_CHECKING:
    from meshc.cli.opened import Opened
    from meshc.tree import FileTree


def compiled_trees(opened: Opened, jobs: int | None) -> tuple[Compiled, FileTree]:
    """What a compile would write, and from what. Writes nothing but the cache. Raises MeshcError as a compile does."""
    compiled = compile_mesh(opened.source, opened.repository, lambda: opened.kustomize)
    stop_on_kustomize(compiled, opened.source, opened.kustomize)
    with progress("rendering", len(compiled.plan.clusters)) as done:
        rendered = render(
            compiled.plan, compiled.layout, opened.kustomize, opened.repository, jobs=jobs or 0, done=done
        )
    return compiled, expected_tree(compiled.layout, rendered)

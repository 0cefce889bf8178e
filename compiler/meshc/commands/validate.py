"""Checks a mesh as a compile would, without making either tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.commands.compiling import rendered_of
from meshc.errors import ToolError
from meshc.output.link import Link
from meshc.pipeline import Compiled, compile_mesh

if TYPE_CHECKING:
    from meshc.commands.opened import Opened


def validated(opened: Opened, jobs: int | None = None) -> Compiled:
    """Everything that is wrong, of clusters with patches too: kustomize builds what their patches reach.

    Raises ProblemsError. Where no kustomize answers, a note says that patches weren't applied.
    """
    compiled = compile_mesh(opened.source, opened.repository, lambda: opened.kustomize)
    patched = [cluster.name for cluster in compiled.plan.clusters if cluster.patches or cluster.components]
    if not patched:
        return compiled
    try:
        opened.kustomize  # noqa: B018 # whether there is one
    except ToolError:
        opened.listener.note("  note: no kustomize was found, so what patches make wasn't looked at")
        return compiled
    rendered = rendered_of(opened, compiled, jobs, Link.AUTO, patched)
    return compiled.with_problems(rendered.problems)

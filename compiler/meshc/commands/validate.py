"""Checks a mesh like a compile, without making the trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.commands.compiling import compiled_unrendered, rendered_of
from meshc.errors import ToolError
from meshc.output.link import Link
from meshc.pipeline import Compiled

if TYPE_CHECKING:
    from meshc.commands.opened import Opened


def validated(opened: Opened, jobs: int | None = None) -> Compiled:
    """Checks everything. For clusters with patches, kustomize builds the objects that the patches may change. Raises
    ProblemsError. Without kustomize, a note says that patches weren't applied.
    """
    compiled = compiled_unrendered(opened)
    patched = [cluster.name for cluster in compiled.plan.clusters if cluster.patches or cluster.components]
    if not patched:
        return compiled
    try:
        opened.kustomize  # noqa: B018 # whether there is one
    except ToolError:
        opened.listener.note("  note: no kustomize was found, so the results of patches weren't checked")
        return compiled
    rendered = rendered_of(opened, compiled, jobs, Link.AUTO, patched)
    return compiled.with_problems(rendered.problems)

"""Compiles an opened mesh, and reads both trees from the disk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshc.disk.marked import foreign
from meshc.errors import RefusedError
from meshc.output.link import Link
from meshc.output.native import is_tested
from meshc.output.render import How, Rendered, render
from meshc.output.trees import expected_tree, read_trees, refuse_another
from meshc.pipeline import Compiled, compile_mesh, stop_on_kustomize
from meshc.supported import KUSTOMIZE

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from meshc.commands.opened import Opened
    from meshc.errors import Code
    from meshc.output.kustomize import Kustomize
    from meshc.tree import FileTree


def compiled_unrendered(opened: Opened, link: Link = Link.AUTO) -> Compiled:
    """Compiles every cluster without rendering, with any available kustomize. Writes nothing."""

    def kustomize() -> Kustomize:
        return replace(opened.kustomize, alone=link is Link.KUSTOMIZE)

    return compile_mesh(opened.source, opened.repository, kustomize, steps=opened.listener.steps)


def compiled_whole(opened: Opened, link: Link = Link.AUTO) -> Compiled:
    """Compiles every cluster without rendering, with the kustomize that mesh.yaml requires. Writes nothing."""
    compiled = compiled_unrendered(opened, link)
    stop_on_kustomize(compiled, opened.source, opened.kustomize)
    if not is_tested(version := opened.kustomize.version):
        first, end = (f"{one.major}.{one.minor}" for one in KUSTOMIZE)
        opened.listener.note(
            f"  note: kustomize {version} isn't one from {first} up to {end}: it builds all overlays, and takes longer"
        )
    return compiled


def compiled_unasked(opened: Opened, passed: Collection[Code]) -> Compiled:
    """Like `compiled_whole`, but ignores some kinds of problems, for comparisons that don't depend on them."""
    compiled = compile_mesh(
        opened.source, opened.repository, lambda: opened.kustomize, passed, steps=opened.listener.steps
    )
    stop_on_kustomize(compiled, opened.source, opened.kustomize)
    return compiled


def rendered_whole(opened: Opened, compiled: Compiled, jobs: int | None, link: Link = Link.AUTO) -> Rendered:
    """output/ of every cluster. Writes only its cache."""
    return rendered_of(opened, compiled, jobs, link, ())


def rendered_of(opened: Opened, compiled: Compiled, jobs: int | None, link: Link, clusters: Sequence[str]) -> Rendered:
    """output/ of the named clusters, or of all. Writes only its cache."""
    plan = compiled.plan
    with opened.listener.steps("rendering", len(clusters) or len(plan.clusters)) as done:
        how = How(opened.kustomize, opened.repository, jobs or 0, link, done)
        return render(plan, compiled.layout, how, clusters, compiled.settle)


def expected_trees(opened: Opened, compiled: Compiled, jobs: int | None, link: Link = Link.AUTO) -> FileTree:
    """Both trees that a compile would write."""
    return expected_tree(compiled.layout, rendered_whole(opened, compiled, jobs, link).trees, compiled.delivery)


def standing_trees(opened: Opened, mesh: str) -> FileTree:
    """Both trees on disk. Raises RefusedError for files that meshc didn't write, and for files of another mesh."""
    found = read_trees(opened.repository)
    refuse_another(found, mesh)
    refuse_foreign(found)
    return found


def refuse_foreign(found: FileTree) -> None:
    """Raises RefusedError for files that meshc didn't write."""
    if strangers := foreign(found):
        names = "\n".join(f"  {name}" for name in strangers[:10])
        raise RefusedError(f"files that meshc didn't write are among those it did:\n{names}", "move them elsewhere")

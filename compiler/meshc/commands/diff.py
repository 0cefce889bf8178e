"""Compares the compiled output with a base: what changed in which clusters, and the dangers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from meshc.commands.base import Base, base_of, published_base
from meshc.lowering import needs_of
from meshc.plain import count, plain
from meshc.review.change import Change
from meshc.review.committed import Commits
from meshc.review.danger import dangers
from meshc.review.diff import Difference, compare, renames
from meshc.review.origins import Origins, origins_of
from meshc.review.settings import Setting, settings_changed

if TYPE_CHECKING:
    from meshc.commands.focus import Focus
    from meshc.commands.opened import Opened
    from meshc.errors import Problem
    from meshc.pipeline import Compiled
    from meshc.plan.ir import Plan
    from meshc.tree import FileTree


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison with a base: the objects that differ, and a warning for each danger, in the order of the codes."""

    base: Base
    difference: Difference
    dangers: tuple[Problem, ...]
    settings: tuple[Setting, ...]
    """Changes of versions, images and Helm values, if the base has a mesh.yaml."""
    left: str = ""
    """A text about clusters that are left out, if only some were selected."""


def narrowed(whole: Comparison, focus: Focus) -> Comparison:
    """The differences in the selected clusters."""
    if focus.whole:
        return whole
    difference = focus.difference(whole.difference)
    dangers = tuple(danger for danger in whole.dangers if focus.holds(danger.clusters))
    others = sum(len(entry.clusters) for entry in whole.difference.entries)
    others -= sum(len(entry.clusters) for entry in difference.entries)
    more = f"{count(others, 'change')} and {count(len(whole.dangers) - len(dangers), 'danger')} not shown"
    left = "; ".join(one for one in (focus.left, more) if one)
    return Comparison(whole.base, difference, dangers, focus.settings(whole.settings), left)


def compared(opened: Opened, compiled: Compiled, output: FileTree, ref: str | None, against: str | None) -> Comparison:
    """Compares `output`, the compiled output/, with a base. `ref` and `against` are as in `base_of`.

    By default, the base is the published output, if mesh.yaml says where it is. Raises UsageError if there is nothing
    to compare with, and MeshcError if a base without output can't be compiled.
    """
    nothing_named = ref is None and against is None
    base = published_base(opened, compiled.plan, output) if nothing_named else None
    if base is None:
        base = base_of(opened, ref, against, output)
        if nothing_named and base.commit != Commits(opened.repository.base).commit("HEAD"):
            opened.listener.note(
                f"  note: compared with {plain(base.name)}, where this branch left it: {base.commit[:9]}"
            )
    renamed = renames(base.output, output, _same_servers(base.plan, compiled.plan))
    renamed = {old: new for old, new in renamed.items() if not _apart(base.plan, compiled.plan, old, new)}
    names = {c.id: c.name for plan in (base.plan, compiled.plan) if plan for c in plan.clusters if c.id != c.name}
    difference = replace(compare(base.output, output, renamed), names=names)
    origins = _origins(opened, compiled, base.commit)
    trees = (base.output, output)
    change = Change(difference, trees, base.plan, compiled.plan, opened.source, origins, _runs(compiled), base.source)
    return Comparison(base, difference, tuple(dangers(change)), settings_changed(base.plan, compiled.plan))


def _runs(compiled: Compiled) -> dict[tuple[str, str], set[str]]:
    """The clusters in which each exported Service runs."""
    found: dict[tuple[str, str], set[str]] = {}
    for export in compiled.exports:
        found.setdefault(export.key, set()).update(export.homes, export.occupied)
    return found


def _origins(opened: Opened, compiled: Compiled, commit: str) -> Origins:
    """The lines that changed since a commit, in every input file of the mesh."""
    if not commit:
        return Origins()
    source, plan = opened.source, compiled.plan
    files = {**source.files, **compiled.files}
    changed = Commits(opened.repository.base).changed(commit, files)
    services = {export.key: export.place for export in compiled.exports}
    both = {path: (old, files[path]) for path, old in changed.items()}
    return origins_of(source, plan, needs_of(plan), services, both)


def _same_servers(before: Plan | None, after: Plan) -> dict[str, str]:
    """The old name of each renamed cluster, found by its API server."""
    old = {cluster.api_server: cluster.name for cluster in before.clusters} if before else {}
    return {
        cluster.name: old[cluster.api_server]
        for cluster in after.clusters
        if cluster.api_server is not None and old.get(cluster.api_server, cluster.name) != cluster.name
    }


def _apart(before: Plan | None, after: Plan, old: str, new: str) -> bool:
    """True if the removed and the added cluster have known, different API servers."""
    was = next((one.api_server for one in before.clusters if one.name == old), None) if before else None
    now = next((one.api_server for one in after.clusters if one.name == new), None)
    return was is not None and now is not None and was != now

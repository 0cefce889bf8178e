"""Compares both trees on disk with the compiled trees, and reports the cause of each difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from meshc.commands.base import base_of
from meshc.commands.clusters import Choice
from meshc.commands.compiling import compiled_whole, refuse_foreign, rendered_whole, standing_trees
from meshc.commands.expiry import expiring, quiet_until, stop_on_a_jump
from meshc.commands.focus import Focus
from meshc.commands.last_run import InStep, Run, in_step, remember
from meshc.commands.published import Published, published_side
from meshc.commands.schema import schema_is_stale
from meshc.errors import UsageError
from meshc.output.link import Link
from meshc.output.trees import OUTPUT, OVERLAYS, VERSIONS, expected_tree, refuse_another, versions_in
from meshc.review.behind import Behind
from meshc.review.committed import Commits
from meshc.review.honest import Honest
from meshc.review.lines import blocks_of
from meshc.review.stale import Input, Pair, Stale, changed_lines, stale_files
from meshc.tree import FileTree
from meshc.version import __version__

if TYPE_CHECKING:
    from meshc.commands.opened import Opened
    from meshc.pipeline import Compiled


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check: the stale files, and a line for each CA that is due.

    `told` is the report if nothing is stale; else None.
    """

    compiled: Compiled
    found: FileTree
    expected: FileTree
    stale: tuple[Stale, ...]
    ending: tuple[str, ...]
    told: InStep | None
    published: str = ""
    """The place where the compared output is published; empty for the local trees, or with `against`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is compared, and how.

    `against` is a folder or a commit with the output/ to compare instead. `base` is a commit: clusters with its roots
    must be able to switch to the current roots. With `explain`, kustomize builds every different overlay with user
    files, to find manual edits. With a `choice`, only files of these clusters are reported.
    """

    jobs: int | None = None
    link: Link = Link.AUTO
    base: str | None = None
    against: str | None = None
    explain: bool = False
    choice: Choice = field(default_factory=Choice)

    @property
    def is_whole(self) -> bool:
        """True for a plain check of all local trees."""
        return self.base is None and self.against is None and not self.choice


def checked(opened: Opened, wanted: Wanted) -> Checked:
    """Compiles in memory and compares.

    Writes nothing except the cache. Unlike a compile, a check reads the clock. Raises MeshcError.
    """
    compiled = compiled_whole(opened, wanted.link)
    compiled.searched.keep()
    if wanted.base is not None:
        stop_on_a_jump(opened, compiled.plan, wanted.base)
    focus = Focus.on(compiled.plan, wanted.choice)
    if focus.left:
        opened.listener.note(f"  note: {focus.left}")
    ending = focus.pending(expiring(opened, compiled.plan))
    rendered = rendered_whole(opened, compiled, wanted.jobs, wanted.link)
    compiled = compiled.with_problems(rendered.problems)
    expected = expected_tree(compiled.layout, rendered.trees, compiled.delivery)
    side = published_side(opened, compiled.plan, expected.under(OUTPUT)) if wanted.against is None else None
    if side and side.output is None and wanted.base is None:
        raise UsageError(side.why, f"{side.hint}; or compare with the files here: --against .")
    if side and side.output is None:
        opened.listener.note(f"  note: {side.why}, so it isn't compared")
    found, expected = _trees(opened, wanted.against, side, expected, compiled.plan.mesh)
    if wanted.choice:
        found, expected = (
            FileTree({path: data for path, data in tree.items() if focus.takes(path)}) for tree in (found, expected)
        )
        compiled = replace(
            compiled, problems=focus.problems(compiled.problems), pending=focus.pending(compiled.pending)
        )
    if not _equal(found, expected):
        here = wanted.against is None and side is None
        stale = tuple(_stale(opened, compiled, wanted, Pair(found, expected), here=here))
        return Checked(compiled, found, expected, stale, ending, None, side.name if side else "")
    told = in_step(compiled, rendered, len(expected), quiet_until(opened, compiled.plan))
    told = replace(told, clusters=tuple(name for name in told.clusters if name in focus.names))
    if not schema_is_stale(opened) and wanted.is_whole and side is None:
        remember(Run(opened.repository, opened.file, wanted.link), compiled, found, told)
    return Checked(compiled, found, expected, (), ending, told, side.name if side else "")


def other_versions(opened: Opened, found: FileTree) -> dict[str, tuple[str, str]]:
    """The tools whose version has changed since they wrote the trees: the old and the current version."""
    wrote = versions_in(found)
    tools = {"meshc": __version__, "kustomize": str(opened.kustomize.version)}
    return {tool: (wrote[tool], now) for tool, now in tools.items() if wrote.get(tool, now) != now}


def _trees(
    opened: Opened, against: str | None, side: Published | None, expected: FileTree, mesh: str
) -> tuple[FileTree, FileTree]:
    """The trees that were found and those that are expected. Outside the repository, only output/ is compared."""
    if against is None and side is None:
        return standing_trees(opened, mesh), expected
    output = expected.under(OUTPUT)
    if side:
        found = (output if side.output is None else side.output).at(OUTPUT)
    else:
        found = base_of(opened, None, against, output).output.at(OUTPUT)
    refuse_another(found, mesh)
    refuse_foreign(found)
    return found, output.at(OUTPUT)


def _equal(found: FileTree, expected: FileTree) -> bool:
    return {path: data for path, data in found.items() if path != VERSIONS} == dict(expected)


def _stale(opened: Opened, compiled: Compiled, wanted: Wanted, trees: Pair, *, here: bool) -> Sequence[Stale]:
    """The files that differ between the trees that were found and those that are expected."""
    found, expected = trees
    honest = Honest(
        found,
        expected,
        lambda files, cluster: opened.kustomize.build(files, cluster, opened.repository),
        lambda total: opened.listener.steps("building by kustomize", total),
        wanted.jobs,
        explain=wanted.explain,
    )
    same = not other_versions(opened, found)
    since = _since(opened, compiled) if here else None
    stale = list(stale_files(trees, compiled.plan, honest if here else None, same_tools=same, since=since))
    if honest.skipped:
        overlays = "1 overlay" if honest.skipped == 1 else f"{honest.skipped} overlays"
        opened.listener.note(
            f"  note: {overlays} with files of yours not built to find edits by hand: meshc check --explain"
        )
    return stale


def _since(opened: Opened, compiled: Compiled) -> Input | None:
    """The changes of the input since the last commit that changed the trees; None if Git has no such commit."""
    commits = Commits(opened.repository.base)
    commit = commits.last_change((OVERLAYS, OUTPUT))
    if not commit or commits.file(commit, opened.file.name) is None:
        return None
    source, files = opened.source, compiled.files
    changed = dict.fromkeys(commits.changed(commit, files))
    changed |= dict.fromkeys(path for path in commits.changed_since(commit) if path not in files)
    others = [
        path for path in changed if path not in source.files and not path.startswith((f"{OVERLAYS}/", f"{OUTPUT}/"))
    ]
    manifests = {one.name: one.manifests for one in compiled.mesh.spec.services if one.manifests}
    charts = {chart.name: chart.path for chart in compiled.inputs.charts.values()}
    lines = tuple(
        line
        for path, before in commits.changed(commit, source.files).items()
        for line in changed_lines(before or b"", source.files[path], source.shown(path))
    )
    behind = Behind(compiled.plan, manifests, charts)
    return Input(lines, tuple(others), blocks_of(source, "clusters"), behind, source.shown)

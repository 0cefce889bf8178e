"""`meshc check`: what lies in overlays/ and output/ beside what would be compiled."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from meshc import __version__
from meshc.cli.compiling import compiled_whole, refuse_foreign, rendered_whole, standing_trees
from meshc.cli.opened import Opened
from meshc.cli.past import expiring, quiet_until, stop_on_a_jump
from meshc.cli.progress import progress
from meshc.cli.remembered import in_step, remember
from meshc.cli.report import Format, annotated, as_json, count, paint, say, show_json, show_problems, tell
from meshc.cli.standing import show_in_step
from meshc.disk.watched import Watched
from meshc.errors import Exit, UsageError
from meshc.output.trees import OUTPUT, OVERLAYS, VERSIONS, expected_tree, refuse_another, versions_in
from meshc.plain import plain
from meshc.review.committed import Commits
from meshc.review.honest import Honest
from meshc.review.stale import Input, Stale, State, blocks_of, changed_lines, stale_files
from meshc.tree import FileTree

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from meshc.output.link import Link
    from meshc.pipeline import Compiled


def check_command(
    file: Path,
    jobs: int | None,
    form: Format,
    base: str | None,
    against: str | None,
    difference: bool,
    link: Link,
    fail_on_expiring: bool,
    *,
    cached: bool,
    explain: bool,
) -> None:
    """Exits 0 where both trees are in step with mesh.yaml, 1 where they aren't. Writes nothing but its cache.

    It knows the time, as a compile doesn't: CAs that end soon are told, and end it with 1 where that is asked for.
    """
    if difference and form is not Format.TEXT:
        raise UsageError("--diff is for people\n  hint: meshc diff --format json")
    opened = Opened(file, Watched.around(file.parent, cached=cached))
    compiled = compiled_whole(opened)
    if base is not None:
        stop_on_a_jump(opened, compiled.plan, base)
    ending = expiring(opened, compiled.plan)
    rendered = rendered_whole(opened, compiled, jobs, link)
    expected = expected_tree(compiled.layout, rendered.trees, compiled.delivery)
    found, expected = _trees(opened, file, against, expected, compiled.plan.mesh)
    stale = (
        []
        if _equal(found, expected)
        else list(_stale(opened, file, found, expected, compiled, jobs, here=against is None, explain=explain))
    )
    _show(stale, ending, compiled, opened, form)
    if form is not Format.JSON:
        show_problems(compiled.problems, form, file)
    for line in ending:
        say(f"{paint('notice', 'cyan')}: {plain(line)}")
    if stale:
        if difference:
            _show_objects(found, expected)
        _verdict(stale, found, opened)
        raise typer.Exit(Exit.DIFFERS)
    told = in_step(compiled, rendered.by_kustomize, len(expected), quiet_until(opened, compiled.plan))
    if base is None and against is None:
        remember(opened.repository, file, link, compiled, found, told)
    if form is Format.TEXT:
        show_in_step(told)
    if ending and fail_on_expiring:
        raise typer.Exit(Exit.DIFFERS)


def _trees(opened: Opened, file: Path, against: str | None, expected: FileTree, mesh: str) -> tuple[FileTree, FileTree]:
    """What lies there, and what should: of another repository it is output/ alone that is looked at."""
    if against is None:
        return standing_trees(opened, mesh), expected
    from meshc.cli.base import base_of

    output = expected.under(OUTPUT)
    found = base_of(opened, file, None, against, output).output.at(OUTPUT)
    refuse_another(found, mesh)
    refuse_foreign(found)
    return found, output.at(OUTPUT)


def _equal(found: FileTree, expected: FileTree) -> bool:
    return {path: data for path, data in found.items() if path != VERSIONS} == dict(expected)


def _stale(
    opened: Opened,
    file: Path,
    found: FileTree,
    expected: FileTree,
    compiled: Compiled,
    jobs: int | None,
    *,
    here: bool,
    explain: bool,
) -> Sequence[Stale]:
    honest = Honest(
        found,
        lambda files, cluster: opened.kustomize.build(files, cluster, opened.repository),
        lambda total: progress("building by kustomize", total),
        jobs,
        explain=explain,
    )
    wrote = versions_in(found)
    tools = {"meshc": __version__, "kustomize": str(opened.kustomize.version)}
    same = all(wrote.get(tool, version) == version for tool, version in tools.items())
    since = _since(opened, file) if here else None
    told = honest.told if here else None
    stale = list(stale_files(found, expected, compiled.plan, told, same_tools=same, since=since))
    if honest.skipped:
        overlays = count(honest.skipped, "overlay")
        say(f"  note: {overlays} with files of yours not built to find edits by hand: meshc check --explain")
    return stale


def _since(opened: Opened, file: Path) -> Input | None:
    """What changed since the commit that last touched the trees; None where Git has no such commit."""
    commits = Commits(opened.repository.base)
    commit = commits.last_change((OVERLAYS, OUTPUT))
    before = commits.file(commit, file.name) if commit else None
    if before is None:
        return None
    lines = changed_lines(before, opened.source.data)
    others = [path for path in commits.changed_since(commit) if not path.startswith((f"{OVERLAYS}/", f"{OUTPUT}/"))]
    shown = tuple(opened.source.shown(path) for path in others if path != file.name)
    return Input(opened.source.file, lines, shown, blocks_of(opened.source))


def _show(stale: Sequence[Stale], ending: list[str], compiled: Compiled, opened: Opened, form: Format) -> None:
    if form is Format.JSON:
        listed = [{"file": one.path, "state": one.state, "because": one.because, "differs": one.lines} for one in stale]
        problems = [as_json(p) for p in compiled.problems]
        show_json({"stale": listed, "pending": compiled.pending, "expiring": ending, "problems": problems})
        return
    for one in stale:
        why = f" (changed since: {', '.join(one.because)})" if one.because else ""
        if form is Format.GITHUB:
            said = "%0A".join(plain(line).replace("%", "%25") for line in (f"{_DO[one.state]}{why}", *one.lines))
            tell(f"::error file={annotated(opened.source.shown(one.path))},title={one.state}::{one.state}: {said}")
            continue
        tell(f"{paint(one.state, 'yellow')}: {plain(opened.source.shown(one.path) + why)}")
        for line in one.lines:
            tell(f"  {plain(line)}")


_ADVICE = {
    State.EDITED: "write it as a patch or a resource in mesh.yaml, as a compile overwrites it",
    State.BOTH: "write what was edited as a patch or a resource in mesh.yaml, then run meshc compile",
    State.OTHER_TOOL: "run meshc compile with the version of mesh.yaml's requires",
}
_DO = {state: _ADVICE.get(state, "run meshc compile") for state in State}


def _show_objects(found: FileTree, expected: FileTree) -> None:
    from meshc.review.diff import compare
    from meshc.review.terminal import lines

    tell()
    for line in lines(compare(found.under(OUTPUT), expected.under(OUTPUT)), [], lambda t, c: paint(t, c, sys.stdout)):
        tell(line)


def _verdict(stale: Sequence[Stale], found: FileTree, opened: Opened) -> None:
    say(f"{count(len(stale), 'file')} out of step\n  hint: run meshc compile and commit the result")
    edited = sum(one.state in (State.EDITED, State.BOTH) for one in stale)
    if edited:
        say(f"  {count(edited, 'file')} edited by hand: a compile overwrites that; write it as a patch in mesh.yaml")
    wrote = versions_in(found)
    for tool, now in (("meshc", __version__), ("kustomize", str(opened.kustomize.version))):
        if wrote.get(tool, now) != now:
            say(f"  what is there was written by {tool} {plain(wrote[tool])}, and this is {tool} {now}")

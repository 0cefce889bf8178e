"""`meshc check`: compares overlays/ and output/ with what a compile would write."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath

import typer

from meshc.cli.alike import alike
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, annotated, paint, say, show_problems, show_result, tell
from meshc.cli.up_to_date import show_in_step
from meshc.commands.check import Checked, Wanted, checked, other_versions
from meshc.commands.opened import Opened
from meshc.disk.watched import Watched
from meshc.errors import Exit, UsageError
from meshc.output.trees import OUTPUT, cluster_of
from meshc.plain import count, plain
from meshc.review.stale import Stale, State
from meshc.tree import FileTree


def check_command(
    file: Path, wanted: Wanted, form: Format, *, difference: bool, fail_on_expiring: bool, cached: bool
) -> None:
    """Exits 0 if both trees are up to date with mesh.yaml, else 1.

    Writes nothing except the cache. Unlike a compile, a check reads the clock: it reports CAs that expire soon, and
    with `fail_on_expiring` exits 1 for them.
    """
    if difference and form is not Format.TEXT:
        raise UsageError("--diff is for people", "meshc diff --format json")
    opened = Opened(file, Watched.around(file.parent, cached=cached), listener=TERMINAL)
    found = checked(opened, wanted)
    to_publish = bool(found.published) and wanted.base is not None  # a change is published after its review
    differs = (found.told is None and not to_publish) or bool(found.ending and fail_on_expiring)
    if to_publish and form is Format.GITHUB and found.stale:
        files = count(len(found.stale), "file")
        tell(
            f"::notice title=meshc publish::{files} of {plain(found.published)} change with this, once it is published"
        )
    else:
        _show(found, opened, form, Exit.DIFFERS if differs else Exit.DONE)
    if not form.is_document:
        show_problems(found.compiled.problems, form, file)
    for line in found.ending:
        say(f"{paint('notice', 'cyan')}: {plain(line)}")
    if found.told is None:
        if difference:
            _show_objects(found.found, found.expected)
        _verdict(found, opened)
    elif form is Format.TEXT:
        show_in_step(found.told)
    if differs:
        raise typer.Exit(Exit.DIFFERS)


def _show(found: Checked, opened: Opened, form: Format, end: Exit) -> None:
    if form.is_document:
        listed = [
            {"file": one.path, "state": one.state, "because": one.because, "differs": one.lines} for one in found.stale
        ]
        told = {"stale": listed, "pending": found.compiled.pending, "expiring": found.ending}
        show_result(form, "check", told, found.compiled.problems, end, Path(opened.source.file))
        return
    do = "meshc publish" if found.published else ""
    if form is Format.GITHUB:
        for one in found.stale:
            said = "%0A".join(
                plain(line).replace("%", "%25") for line in (f"{do or _DO[one.state]}{_why(one)}", *one.lines)
            )
            tell(f"::error file={annotated(opened.source.shown(one.path))},title={one.state}::{one.state}: {said}")
        return
    groups = [*alike(found.stale, _said)]
    for same in groups[:_SHOWN]:
        one, more = same[0], f" and {len(same) - 1} more that differ in the same way" if len(same) > 1 else ""
        tell(f"{paint(one.state, 'yellow')}: {plain(opened.source.shown(one.path) + more + _why(one))}")
        for line in one.lines:
            tell(f"  {plain(line)}")
    if rest := [one for same in groups[_SHOWN:] for one in same]:
        clusters = {cluster_of(one.path) for one in rest} - {""}
        tell(f"and {count(len(rest), 'more file')} of {count(len(clusters), 'cluster')}: meshc check -c NAME")


def _why(one: Stale) -> str:
    return f" (changed since: {', '.join(one.because)})" if one.because else ""


def _said(one: Stale) -> object:
    """A key that is equal for files of the same name with the same problem in several clusters."""
    return one.state, one.because, one.lines, PurePosixPath(one.path).name, one.path.partition("/")[0]


_SHOWN = 40
"""The maximum number of files, or groups of files, in the text for people. Programs get all of them."""


_ADVICE = {
    State.LINE_ENDS: "write output/** text eol=lf and overlays/** text eol=lf into .gitattributes, and check out again",
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


def _verdict(found: Checked, opened: Opened) -> None:
    if found.published:
        say(f"{count(len(found.stale), 'file')} not as published in {plain(found.published)}\n  hint: meshc publish")
    else:
        say(f"{count(len(found.stale), 'file')} not up to date\n  hint: run meshc compile and commit the result")
    edited = sum(one.state in (State.EDITED, State.BOTH) for one in found.stale)
    if edited:
        say(f"  {count(edited, 'file')} edited by hand: a compile overwrites that; write it as a patch in mesh.yaml")
    converted = sum(one.state is State.LINE_ENDS for one in found.stale)
    if converted:
        say(f"  {count(converted, 'file')} with other line ends: {_ADVICE[State.LINE_ENDS]}")
    for tool, (wrote, now) in other_versions(opened, found.found).items():
        say(f"  what is there was written by {tool} {plain(wrote)}, and this is {tool} {now}")

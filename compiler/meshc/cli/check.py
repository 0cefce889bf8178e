"""`meshc check`: what lies in overlays/ and output/ beside what would be compiled."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import typer

from meshc.cli.compiling import compiled_whole, rendered_whole
from meshc.cli.excerpt import plain
from meshc.cli.opened import Opened
from meshc.cli.past import expiring, stop_on_a_jump
from meshc.cli.report import Format, annotated, as_json, count, paint, say, show_json, show_problems, tell
from meshc.disk.transaction import foreign
from meshc.errors import Exit, RefusedError
from meshc.output.trees import VERSIONS, expected_tree, read_trees, refuse_another, versions_in

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.tree import FileTree

_SHOWN, _WIDTH = 8, 160


def check_command(file: Path, jobs: int | None, form: Format, base: str | None, fail_on_expiring: bool) -> None:
    """Exits 0 where both trees are in step with mesh.yaml, 1 where they aren't. Writes nothing but its cache.

    It knows the time, as a compile doesn't: CAs that end soon are told, and end it with 1 where that is asked for.
    """
    opened = Opened(file)
    opened.repository.recover()
    compiled = compiled_whole(opened)
    if base:
        stop_on_a_jump(opened, compiled.plan, base)
    ending = expiring(opened, compiled.plan)
    expected = expected_tree(compiled.layout, rendered_whole(opened, compiled, jobs))
    found = read_trees(opened.repository)
    refuse_another(found, compiled.plan.mesh)
    strangers = foreign(found)
    if strangers:
        names = "\n".join(f"  {name}" for name in strangers[:10])
        raise RefusedError(
            f"files that meshc didn't write are among those it did:\n{names}\n  hint: move them elsewhere"
        )
    stale = list(differences(found, expected))
    if form is Format.JSON:
        listed = [{"file": path, "state": state, "differs": lines} for path, state, lines in stale]
        show_json(
            {
                "stale": listed,
                "pending": compiled.pending,
                "expiring": ending,
                "problems": [as_json(p) for p in compiled.problems],
            }
        )
    elif form is Format.GITHUB:
        for path, state, lines in stale:
            shown = "%0A".join(plain(line).replace("%", "%25") for line in lines)
            where = annotated(opened.source.shown(path))
            tell(f"::error file={where},title=stale::{state}: run meshc compile%0A{shown}")
    else:
        for path, state, lines in stale:
            tell(f"{paint(state, 'yellow')}: {opened.source.shown(path)}")
            for line in lines:
                tell(f"  {plain(line)}")
    if form is not Format.JSON:
        show_problems(compiled.problems, form, file)
    for line in ending:
        say(f"{paint('notice', 'cyan')}: {plain(line)}")
    if stale:
        _verdict(stale, found, opened)
        raise typer.Exit(Exit.DIFFERS)
    if form is Format.TEXT:
        tell(f"in step: {count(len(compiled.plan.clusters), 'cluster')}, {count(len(expected), 'file')}")
        for pending in compiled.pending:
            tell(f"  pending    {pending}")
    if ending and fail_on_expiring:
        raise typer.Exit(Exit.DIFFERS)


def differences(found: FileTree, expected: FileTree) -> Iterator[tuple[str, str, list[str]]]:
    """Every file that isn't as it would be compiled: its path, what is the matter, the first lines that differ."""
    for path in sorted({*found, *expected} - {VERSIONS}):
        if path not in found:
            yield path, "missing", []
        elif path not in expected:
            yield path, "left over", []
        elif found[path] != expected[path]:
            yield path, "stale", list(_lines(found[path], expected[path]))


def _lines(old: bytes, new: bytes) -> Iterable[str]:
    if old.replace(b"\r\n", b"\n") == new:
        yield "only line ends differ: they are CRLF; .gitattributes wants output/** and overlays/** text eol=lf"
        return
    before, after = (data.decode(errors="replace").splitlines() for data in (old, new))
    changed = [
        line for line in difflib.unified_diff(before, after, lineterm="", n=0) if not line.startswith(("---", "+++"))
    ]
    for line in changed[:_SHOWN]:
        yield line if len(line) <= _WIDTH else line[: _WIDTH - 3] + "..."
    if len(changed) > _SHOWN:
        yield f"... and {len(changed) - _SHOWN} more lines"


def _verdict(stale: list[tuple[str, str, list[str]]], found: FileTree, opened: Opened) -> None:
    from meshc import __version__

    say(f"{count(len(stale), 'file')} out of step\n  hint: run meshc compile and commit the result")
    wrote = versions_in(found)
    for tool, now in (("meshc", __version__), ("kustomize", str(opened.kustomize.version))):
        if wrote.get(tool, now) != now:
            say(f"  what is there was written by {tool} {plain(wrote[tool])}, and this is {tool} {now}")

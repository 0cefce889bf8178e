"""`meshc diff`: shows what a change of mesh.yaml does to the clusters, and its dangers."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from meshc.cli.diff_options import DiffFormat
from meshc.cli.envelope import as_json
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, paint, say, show_problems, show_result, tell
from meshc.commands.compiling import compiled_whole, expected_trees
from meshc.commands.diff import Comparison, compared, narrowed
from meshc.commands.focus import Focus
from meshc.commands.opened import Opened
from meshc.disk.repository import Repository
from meshc.errors import Exit, UsageError
from meshc.output.trees import OUTPUT
from meshc.plain import plain
from meshc.review.diff import Action
from meshc.review.markdown import comment
from meshc.review.picture import picture_of
from meshc.review.terminal import lines
from meshc.review.touched import touched

if TYPE_CHECKING:
    from meshc.cli.diff_options import DiffFailOn
    from meshc.commands.clusters import Choice
    from meshc.plan.ir import Plan


def diff_command(
    file: Path,
    base: str | None,
    against: str | None,
    choice: Choice,
    form: DiffFormat,
    summary: bool,
    fail_on: DiffFailOn | None,
    exit_zero: bool,
    jobs: int | None,
    *,
    cached: bool,
) -> None:
    """Prints the difference. Exits 1 if something differs, or with `fail_on` only if there is a danger."""
    if base is not None and against is not None:
        raise UsageError(
            "--base is a commit of this repository, --against the folder or commit of its output: name one of them"
        )
    page = _summary_page() if summary else None
    opened = Opened(file, Repository.around(file.parent, cached=cached), listener=TERMINAL)
    compiled = compiled_whole(opened)
    after = expected_trees(opened, compiled, jobs).under(OUTPUT)
    found = narrowed(compared(opened, compiled, after, base, against), Focus.on(compiled.plan, choice))
    if found.left:
        say(f"  note: {found.left}")
    before, difference, risks = found.base, found.difference, found.dangers
    if page is not None:  # before printing, because the reader of standard output may stop early
        with page.open("a", encoding="utf-8") as open_page:
            open_page.write(_comment(found, compiled.plan))
    unknown = bool(before.note) and against is None
    differs = bool(risks) or unknown if fail_on else bool(difference or found.settings or risks) and not exit_zero
    _show(found, compiled.plan, form, file, Exit.DIFFERS if differs else Exit.DONE)
    if before.note:
        say(f"{paint('notice', 'cyan')}: {plain(before.name)}: {before.note}")
    if differs:
        raise typer.Exit(Exit.DIFFERS)


def _show(found: Comparison, plan: Plan, form: DiffFormat, file: Path, end: Exit) -> None:
    difference, risks = found.difference, found.dangers
    match form:
        case DiffFormat.JSON | DiffFormat.SARIF | DiffFormat.JUNIT | DiffFormat.GITLAB:
            show_result(Format(form), "diff", _data(found, plan.mesh), end=end)
        case DiffFormat.MARKDOWN:
            tell(_comment(found, plan).rstrip("\n"))
        case DiffFormat.GITHUB:
            tell(difference.summary)
            for setting in found.settings:
                tell(f"  {setting}")
            show_problems(risks, Format.GITHUB, file)
        case DiffFormat.TEXT:
            import sys

            for line in lines(difference, risks, lambda text, colour: paint(text, colour, sys.stdout), found.settings):
                tell(line)


def _comment(found: Comparison, plan: Plan) -> str:
    picture = picture_of(touched(found.difference, found.dangers, found.settings), found.base.plan, plan)
    return comment(found.difference, found.dangers, plan.mesh, found.base.name, found.settings, picture)


def _data(found: Comparison, mesh: str) -> dict[str, Any]:
    difference, risks, base = found.difference, found.dangers, found.base.name
    actions = (Action.ADD, Action.CHANGE, Action.DELETE)
    return {
        "mesh": mesh,
        "base": base,
        "summary": {**{str(action): difference.count(action) for action in actions}, "clusters": difference.clusters},
        "renamed": dict(difference.renamed),
        "dangers": [as_json(risk) for risk in risks],
        "settings": [asdict(setting) for setting in found.settings],
        "byCluster": [asdict(one) for one in touched(difference, risks, found.settings)],
        "changes": [
            {
                "action": entry.action,
                **entry.identity._asdict(),
                "clusters": entry.clusters,
                "from": entry.origin,
                "stays": entry.stays,
                "edits": [{"path": e.path, "before": e.before, "after": e.after} for e in entry.edits],
            }
            for entry in difference.entries
        ],
    }


def _summary_page() -> Path:
    """The summary file of a GitHub Actions run. Raises UsageError if there is none."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        raise UsageError("--summary writes to the file that GITHUB_STEP_SUMMARY names, and none is named")
    return Path(path)

"""`meshc diff`: what a change of mesh.yaml does to the clusters, and what it puts at risk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from meshc.cli.base import base_of
from meshc.cli.compiling import compiled_whole, expected_trees
from meshc.cli.diff_options import DiffFormat
from meshc.cli.opened import Opened
from meshc.cli.report import Format, as_json, paint, say, show_json, show_problems, tell
from meshc.disk.repository import Repository
from meshc.errors import Exit, UsageError
from meshc.output.trees import OUTPUT
from meshc.pipeline import needs_of
from meshc.plain import plain
from meshc.review.committed import Commits
from meshc.review.danger import Change, dangers
from meshc.review.diff import Action, Difference, compare, renames
from meshc.review.markdown import comment
from meshc.review.origins import Origins, origins_of
from meshc.review.terminal import lines

if TYPE_CHECKING:
    from meshc.cli.base import Base
    from meshc.cli.diff_options import DiffFailOn
    from meshc.errors import Problem
    from meshc.pipeline import Compiled
    from meshc.plan.ir import Plan


def diff_command(
    file: Path,
    base: str | None,
    against: str | None,
    form: DiffFormat,
    summary: bool,
    fail_on: DiffFailOn | None,
    exit_zero: bool,
    jobs: int | None,
    *,
    cached: bool,
) -> None:
    """Exits 1 where something differs, or only where something is at risk if that was asked for."""
    if base is not None and against is not None:
        raise UsageError("--base is a commit of this repository, --against where its output lies: name one of them")
    page = _summary_page() if summary else None
    opened = Opened(file, Repository.around(file.parent, cached=cached))
    compiled = compiled_whole(opened)
    after = expected_trees(opened, compiled, jobs).under(OUTPUT)
    before = base_of(opened, file, base, against, after)
    renamed = renames(before.output, after, _same_servers(before.plan, compiled.plan))
    difference = compare(before.output, after, renamed)
    origins = _origins(opened, compiled, before.commit)
    trees = (before.output, after)
    runs = _runs(compiled)
    risks = dangers(Change(difference, trees, before.plan, compiled.plan, opened.source, origins, runs))
    _show(difference, risks, compiled.plan, before, form, file)
    if page is not None:
        with page.open("a", encoding="utf-8") as open_page:
            open_page.write(comment(difference, risks, compiled.plan.mesh, before.name))
    if before.note:
        say(f"{paint('notice', 'cyan')}: {plain(before.name)}: {before.note}")
    unknown = bool(before.note) and against is None
    found = bool(risks) or unknown if fail_on else bool(difference) and not exit_zero
    if found:
        raise typer.Exit(Exit.DIFFERS)


def _runs(compiled: Compiled) -> dict[tuple[str, str], set[str]]:
    """Where each exported Service runs."""
    found: dict[tuple[str, str], set[str]] = {}
    for export in compiled.exports:
        found.setdefault(export.key, set()).update(export.homes, export.occupied)
    return found


def _origins(opened: Opened, compiled: Compiled, commit: str) -> Origins:
    """The lines that changed since a commit, in every file that the mesh is made from."""
    if not commit:
        return Origins()
    source, plan, inputs = opened.source, compiled.plan, compiled.inputs
    files = {source.file.rpartition("/")[2]: source.data, **inputs.plain}
    files |= {f"{plan.sealed}/{path}": data for path, data in inputs.sealed.items()}
    files |= {f"{plan.certificates}/{path}": data for path, data in inputs.certificates.items()}
    changed = Commits(opened.repository.base).changed(commit, files)
    services = {export.key: export.place for export in compiled.exports}
    both = {path: (old, files[path]) for path, old in changed.items()}
    return origins_of(source, plan, needs_of(plan), services, both)


def _show(difference: Difference, risks: list[Problem], plan: Plan, before: Base, form: DiffFormat, file: Path) -> None:
    match form:
        case DiffFormat.JSON:
            show_json(_data(difference, risks, plan.mesh, before.name))
        case DiffFormat.MARKDOWN:
            tell(comment(difference, risks, plan.mesh, before.name).rstrip("\n"))
        case DiffFormat.GITHUB:
            tell(difference.summary)
            show_problems(risks, Format.GITHUB, file)
        case DiffFormat.TEXT:
            import sys

            for line in lines(difference, risks, lambda text, colour: paint(text, colour, sys.stdout)):
                tell(line)


def _data(difference: Difference, risks: list[Problem], mesh: str, base: str) -> dict[str, Any]:
    actions = (Action.ADD, Action.CHANGE, Action.DELETE)
    return {
        "mesh": mesh,
        "base": base,
        "summary": {**{str(action): difference.count(action) for action in actions}, "clusters": difference.clusters},
        "renamed": dict(difference.renamed),
        "dangers": [as_json(risk) for risk in risks],
        "changes": [
            {
                "action": entry.action,
                **entry.identity._asdict(),
                "clusters": entry.clusters,
                "from": entry.origin,
                "edits": [{"path": e.path, "before": e.before, "after": e.after} for e in entry.edits],
            }
            for entry in difference.entries
        ],
    }


def _same_servers(before: Plan | None, after: Plan) -> dict[str, str]:
    """Old names by new ones, of clusters with the same API server."""
    old = {cluster.api_server: cluster.name for cluster in before.clusters} if before else {}
    return {
        cluster.name: old[cluster.api_server]
        for cluster in after.clusters
        if cluster.api_server is not None and old.get(cluster.api_server, cluster.name) != cluster.name
    }


def _summary_page() -> Path:
    """The page of a GitHub Actions run. Raises UsageError where there is none."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        raise UsageError("--summary writes to the file that GITHUB_STEP_SUMMARY names, and none is named")
    return Path(path)

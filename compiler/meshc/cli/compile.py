"""`meshc compile`: writes both trees and says what it did, or that there was nothing to do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from meshc.cli.begin import begin_writing
from meshc.cli.remembered import InStep, in_step, recall, remember
from meshc.cli.report import Format, as_json, count, paint, show_json, show_problems, tell
from meshc.disk.scratch import clear_leftovers
from meshc.disk.watched import Watched
from meshc.errors import UsageError
from meshc.plain import plain

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.output.link import Link
    from meshc.output.trees import Written
    from meshc.pipeline import Compiled

_SHOWN = 12


def compile_command(
    file: Path, patterns: list[str], jobs: int | None, link: Link, form: Format, *, cached: bool
) -> None:
    """Reads, checks, renders, writes. Nothing is written unless everything went well."""
    repository = Watched.around(file.parent, cached=cached)
    begin_writing(repository)
    clear_leftovers()
    known = None if patterns else recall(repository, file, link)
    if known is not None:
        _summary(known, {"unchanged": known.clusters}, "unchanged" if known.engine else "", form)
    else:
        known = _compile(file, repository, patterns, jobs, link, form)
    if form is not Format.JSON:
        show_problems(known.problems, form, file)


def _compile(
    file: Path, repository: Watched, patterns: list[str], jobs: int | None, link: Link, form: Format
) -> InStep:
    from meshc.cli.opened import Opened, ask_early

    asked = ask_early(repository)
    from meshc.cli.compiling import compiled_whole
    from meshc.cli.progress import progress
    from meshc.output.render import render
    from meshc.output.trees import write_trees

    opened = Opened(file, repository, asked)
    compiled = compiled_whole(opened)
    chosen = _chosen(compiled, patterns)
    with progress("rendering", len(chosen) or len(compiled.plan.clusters)) as done:
        rendered = render(compiled.plan, compiled.layout, opened.kustomize, repository, chosen, jobs or 0, done, link)
    version = opened.kustomize.version
    written = write_trees(
        compiled.layout, rendered.trees, compiled.delivery, repository, version, compiled.plan.mesh, whole=not patterns
    )
    told = in_step(compiled, rendered.by_kustomize, written.files)
    if not patterns:
        remember(repository, file, link, compiled, written.trees, told)
    _summary(told, _groups(written), written.delivery, form)
    return told


def _chosen(compiled: Compiled, patterns: list[str]) -> list[str]:
    chosen = compiled.choose(patterns)
    if patterns and not chosen:
        known = ", ".join(cluster.name for cluster in compiled.plan.clusters)
        named = ", ".join(f'"{pattern}"' for pattern in patterns)
        raise UsageError(f"no cluster is named {named}\n  hint: clusters: {known}")
    return chosen


def _groups(done: Written) -> dict[str, tuple[str, ...]]:
    return {"written": done.written, "unchanged": done.unchanged, "removed": done.removed}


def _summary(told: InStep, clusters: dict[str, tuple[str, ...]], delivery: str, form: Format) -> None:
    groups = {"written": (), "unchanged": (), "removed": (), **clusters, "pending": told.pending}
    if form is Format.JSON:
        problems = [as_json(problem) for problem in told.problems]
        show_json(
            {
                "mesh": told.mesh,
                **groups,
                "delivery": delivery or None,
                "byKustomize": told.by_kustomize,
                "files": told.files,
                "problems": problems,
            }
        )
        return
    compiled = len(groups["written"]) + len(groups["unchanged"])
    tell(f"compiled {told.mesh}: {count(compiled, 'cluster')}, {count(told.files, 'file')}")
    for name, colour in (("written", "green"), ("unchanged", "white"), ("removed", "yellow"), ("pending", "cyan")):
        if entries := groups[name]:
            joint = "\n             " if name == "pending" else ", "
            shown = [*entries[:_SHOWN], *([f"and {len(entries) - _SHOWN} more"] if len(entries) > _SHOWN else [])]
            tell(f"  {paint(f'{name:<10}', colour, sys.stdout)} {joint.join(map(plain, shown))}")
    if told.by_kustomize:
        built = f"{count(len(told.by_kustomize), 'overlay')} built, for files of yours"
        tell(f"  {paint('kustomize ', 'white', sys.stdout)} {built}")
    if delivery:
        engine = f"{told.engine}, " if told.engine else ""
        tell(f"  {paint('delivery  ', 'white', sys.stdout)} {engine}{delivery}")

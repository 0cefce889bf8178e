"""`meshc compile`: writes both trees and says what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.compiling import compiled_whole
from meshc.cli.opened import Opened
from meshc.cli.progress import progress
from meshc.cli.report import Format, as_json, count, paint, say, show_json, show_problems, tell
from meshc.disk.scratch import clear_leftovers
from meshc.errors import UsageError
from meshc.output.render import linked_by_kustomize, render
from meshc.output.trees import Written, write_trees
from meshc.plain import plain

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.output.link import Link
    from meshc.pipeline import Compiled

_SHOWN = 12


def compile_command(file: Path, patterns: list[str], jobs: int | None, link: Link, form: Format) -> None:
    """Reads, checks, renders, writes. Nothing is written unless everything went well."""
    opened = Opened(file)
    repository = opened.repository
    if repository.recover():
        say("finished what an interrupted run had left")
    clear_leftovers()
    compiled = compiled_whole(opened)
    chosen = compiled.choose(patterns)
    if patterns and not chosen:
        known = ", ".join(cluster.name for cluster in compiled.plan.clusters)
        named = ", ".join(f'"{pattern}"' for pattern in patterns)
        raise UsageError(f"no cluster is named {named}\n  hint: clusters: {known}")
    with progress("rendering", len(chosen) or len(compiled.plan.clusters)) as done:
        rendered = render(compiled.plan, compiled.layout, opened.kustomize, repository, chosen, jobs or 0, done, link)
    written = write_trees(
        compiled.layout,
        rendered,
        compiled.delivery,
        repository,
        opened.kustomize.version,
        compiled.plan.mesh,
        whole=not patterns,
    )
    slow = linked_by_kustomize(compiled.plan, compiled.layout, opened.kustomize.version, link)
    _summary(compiled, written, [name for name in slow if not chosen or name in chosen], form)
    if form is not Format.JSON:
        show_problems(compiled.problems, form, file)


def _summary(compiled: Compiled, done: Written, by_kustomize: list[str], form: Format) -> None:
    mesh = compiled.plan.mesh
    groups = {
        "written": done.written,
        "unchanged": done.unchanged,
        "removed": done.removed,
        "pending": compiled.pending,
    }
    if form is Format.JSON:
        problems = [as_json(problem) for problem in compiled.problems]
        show_json(
            {
                "mesh": mesh,
                **groups,
                "delivery": done.delivery or None,
                "byKustomize": by_kustomize,
                "files": done.files,
                "problems": problems,
            }
        )
        return
    import sys

    tell(f"compiled {mesh}: {count(len(done.written) + len(done.unchanged), 'cluster')}, {count(done.files, 'file')}")
    for name, colour in (("written", "green"), ("unchanged", "white"), ("removed", "yellow"), ("pending", "cyan")):
        if entries := groups[name]:
            joint = "\n             " if name == "pending" else ", "
            shown = [*entries[:_SHOWN], *([f"and {len(entries) - _SHOWN} more"] if len(entries) > _SHOWN else [])]
            tell(f"  {paint(f'{name:<10}', colour, sys.stdout)} {joint.join(map(plain, shown))}")
    if by_kustomize:
        built = f"{count(len(by_kustomize), 'overlay')} built, for files of yours"
        tell(f"  {paint('kustomize ', 'white', sys.stdout)} {built}")
    if done.delivery:
        engine = f"{compiled.plan.delivery.engine}, " if compiled.plan.delivery else ""
        tell(f"  {paint('delivery  ', 'white', sys.stdout)} {engine}{done.delivery}")

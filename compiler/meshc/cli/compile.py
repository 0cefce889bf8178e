"""`meshc compile`: writes both trees and says what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.opened import Opened
from meshc.cli.report import Format, as_json, paint, say, show_json, show_problems, tell
from meshc.errors import MeshcError
from meshc.pipeline import Result, compile_mesh, render, stop_on_kustomize, write

if TYPE_CHECKING:
    from pathlib import Path

_SHOWN = 12


def compile_command(file: Path, patterns: list[str], jobs: int | None, form: Format) -> None:
    """Reads, checks, renders, writes. Nothing is written unless everything went well."""
    opened = Opened(file)
    repository = opened.repository
    if repository.recover():
        say("finished what an interrupted run had left")
    compiled = compile_mesh(opened.source, repository, lambda: opened.kustomize)
    chosen = compiled.choose(patterns)
    if patterns and not chosen:
        known = ", ".join(cluster.name for cluster in compiled.plan.clusters)
        raise MeshcError(f"no cluster is named {', '.join(patterns)}\n  hint: clusters: {known}")
    stop_on_kustomize(compiled, opened.source, opened.kustomize)
    rendered = render(compiled, repository, opened.kustomize, chosen if patterns else None, jobs)
    result = write(compiled, rendered, repository, opened.kustomize, whole=not patterns)
    _summary(compiled.plan.mesh, result, form)
    if form is not Format.JSON:
        show_problems(compiled.problems, form)


def _summary(mesh: str, result: Result, form: Format) -> None:
    if form is Format.JSON:
        fields = ("written", "unchanged", "removed", "pending", "files")
        data = {field: getattr(result, field) for field in fields}
        show_json({"mesh": mesh, **data, "problems": [as_json(problem) for problem in result.problems]})
        return
    import sys

    tell(f"compiled {mesh}: {len(result.written) + len(result.unchanged)} clusters, {result.files} files")
    for name, colour in (("written", "green"), ("unchanged", "white"), ("removed", "yellow"), ("pending", "cyan")):
        entries = getattr(result, name)
        if entries:
            joint = "\n             " if name == "pending" else ", "
            shown = [*entries[:_SHOWN], *([f"and {len(entries) - _SHOWN} more"] if len(entries) > _SHOWN else [])]
            tell(f"  {paint(f'{name:<10}', colour, sys.stdout)} {joint.join(shown)}")

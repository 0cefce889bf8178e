"""`meshc validate`: runs all checks, and renders nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.pending import grouped
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, show_problems, show_result, tell
from meshc.commands.focus import Focus
from meshc.commands.opened import Opened
from meshc.commands.validate import validated
from meshc.plain import count

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.commands.clusters import Choice


def validate_command(file: Path, choice: Choice, form: Format) -> None:
    """Prints a summary of the mesh, or all of its problems. kustomize runs only for the user's files."""
    compiled = validated(Opened(file, listener=TERMINAL))
    focus = Focus.on(compiled.plan, choice)
    pending, problems = focus.pending(compiled.pending), focus.problems(compiled.problems)
    if focus.left:
        TERMINAL.note(f"  note: {focus.left}")
    if form.is_document:
        show_result(form, "validate", {"pending": pending}, problems)
        return
    plan = compiled.plan
    copies = {(copy.namespace, copy.name) for base in plan.bases for copy in base.copies}
    copies |= {(copy.namespace, copy.name) for cluster in plan.clusters for copy in cluster.copies}
    tell(f"valid: {plan.mesh}, {count(len(plan.clusters), 'cluster')}, {count(len(copies), 'service')} copied")
    for line in grouped(pending):
        tell(f"  pending    {line}")
    show_problems(problems, form, file)

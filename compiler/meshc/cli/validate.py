"""`meshc validate`: all checks, no rendering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, show_problems, show_result, tell
from meshc.commands.opened import Opened
from meshc.commands.validate import validated
from meshc.plain import count, plain

if TYPE_CHECKING:
    from pathlib import Path


def validate_command(file: Path, form: Format) -> None:
    """Says what the mesh holds, or everything that is wrong with it. kustomize runs only for files of the user's."""
    compiled = validated(Opened(file, listener=TERMINAL))
    if form.is_document:
        show_result(form, "validate", {"pending": compiled.pending}, compiled.problems)
        return
    plan = compiled.plan
    copies = {(copy.namespace, copy.name) for base in plan.bases for copy in base.copies}
    copies |= {(copy.namespace, copy.name) for cluster in plan.clusters for copy in cluster.copies}
    tell(f"valid: {plan.mesh}, {count(len(plan.clusters), 'cluster')}, {count(len(copies), 'service')} copied")
    for pending in compiled.pending:
        tell(f"  pending    {plain(pending)}")
    show_problems(compiled.problems, form, file)

"""`meshc validate`: runs all checks, and renders nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from meshc.cli.edits import show_diff
from meshc.cli.pending import grouped
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, show_problems, show_result, tell
from meshc.commands.begin import begin_writing
from meshc.commands.fixing import mended
from meshc.commands.focus import Focus
from meshc.commands.opened import Opened
from meshc.commands.validate import validated
from meshc.disk.repository import Repository
from meshc.errors import Exit, ProblemsError
from meshc.plain import count, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from meshc.commands.clusters import Choice


def fix_command(file: Path, choice: Choice, form: Format, *, check: bool) -> None:
    """Shows the changes of all fixes, writes them unless `check` is set, and then validates the mesh.

    Exits 1 if something is to be fixed and isn't written.
    """
    repository = Repository.around(file.parent)
    if not check:
        begin_writing(repository, TERMINAL)
    found = mended(file, repository)
    if not form.is_document:
        for edit in found.edits:
            show_diff(edit)
        for before, after in found.renames:
            tell(plain(f"rename {before} to {after}"))
    if check and found.files:
        if form.is_document:
            show_result(form, "validate", {"fixed": found.files}, found.problems, Exit.DIFFERS, file)
        else:
            tell(f"{count(len(found.files), 'file')} to fix: meshc validate --fix")
        raise typer.Exit(Exit.DIFFERS)
    found.write()
    if found.files and not form.is_document:
        tell(f"fixed {', '.join(map(plain, found.files))}")
    try:
        validate_command(file, choice, form, found.files)
    except ProblemsError as error:
        if not form.is_document:
            raise
        show_result(form, "validate", {"fixed": found.files}, error.problems, error.exit, file)
        raise typer.Exit(error.exit) from None


def validate_command(file: Path, choice: Choice, form: Format, fixed: Sequence[str] = ()) -> None:
    """Prints a summary of the mesh, or all of its problems. kustomize runs only for the user's files."""
    compiled = validated(Opened(file, listener=TERMINAL))
    focus = Focus.on(compiled.plan, choice)
    pending, problems = focus.pending(compiled.pending), focus.problems(compiled.problems)
    if focus.left:
        TERMINAL.note(f"  note: {focus.left}")
    if form.is_document:
        show_result(form, "validate", {"pending": pending, "fixed": list(fixed)}, problems)
        return
    plan = compiled.plan
    copies = {(copy.namespace, copy.name) for base in plan.bases for copy in base.copies}
    copies |= {(copy.namespace, copy.name) for cluster in plan.clusters for copy in cluster.copies}
    tell(f"valid: {plan.mesh}, {count(len(plan.clusters), 'cluster')}, {count(len(copies), 'service')} copied")
    for line in grouped(pending):
        tell(f"  pending    {line}")
    show_problems(problems, form, file)

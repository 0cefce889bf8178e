"""`meshc verify`: compares the output of meshc's own renderer with the output of real kustomize."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, say, show_result, tell
from meshc.commands.opened import Opened
from meshc.commands.verify import verified
from meshc.errors import Exit
from meshc.plain import count

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.commands.clusters import Choice


def verify_command(file: Path, choice: Choice, sample: int | None, jobs: int | None, form: Format) -> None:
    """Exits 1 if a byte differs. Writes nothing except the cache."""
    found = verified(Opened(file, listener=TERMINAL), choice, sample, jobs)
    if form.is_document:
        told = {"kustomize": found.kustomize, "clusters": found.clusters, "differing": found.differing}
        show_result(form, "verify", told, end=Exit.DIFFERS if found.differing else Exit.DONE)
    else:
        for path in found.differing:
            tell(f"differs: {path}")
        if not found.differing:
            tell(f"equal to kustomize {found.kustomize}: {count(len(found.clusters), 'cluster')}")
    if found.differing:
        say("  hint: compile with --link kustomize, and report this with the objects that differ")
        raise typer.Exit(Exit.DIFFERS)

"""`meshc fmt`: formats mesh.yaml and its parts, and shows the changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from meshc.cli.edits import show_diff
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, show_result, tell
from meshc.commands.fmt import formatted
from meshc.commands.opened import opened_for
from meshc.errors import Exit
from meshc.plain import count, plain

if TYPE_CHECKING:
    from pathlib import Path


def fmt_command(file: Path, form: Format, *, check: bool) -> None:
    """Shows the changes and writes them. With `check`, writes nothing, and exits 1 if there are changes."""
    found = formatted(opened_for(file, TERMINAL, writes=not check))
    names = [edit.file for edit in found.edits]
    end = Exit.DIFFERS if check and names else Exit.DONE
    if not form.is_document:
        for edit in found.edits:
            show_diff(edit)
    if not check:
        found.write()
    if form.is_document:
        show_result(form, "fmt", {"changed": names}, end=end, file=file)
    else:
        tell(_told(names, check=check))
    if end:
        raise typer.Exit(end)


def _told(names: list[str], *, check: bool) -> str:
    if not names:
        return "nothing to format"
    return f"{count(len(names), 'file')} to format: meshc fmt" if check else f"wrote {', '.join(map(plain, names))}"

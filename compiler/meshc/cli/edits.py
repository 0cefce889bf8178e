"""Shows a change of mesh.yaml and its parts as a diff."""

from __future__ import annotations

import difflib
import sys
from typing import TYPE_CHECKING

from meshc.cli.report import paint, say, tell
from meshc.plain import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.commands.edit import Edit

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def show_diff(edit: Edit) -> None:
    """Shows what changes in a file."""
    before, after = (text.decode().splitlines() for text in (edit.before, edit.after))
    for line in difflib.unified_diff(before, after, edit.file, edit.file, lineterm="", n=2):
        colour = _COLOURS.get(line[:1])
        tell(paint(plain(line), colour, sys.stdout) if colour else plain(line))


def show_edits(edits: Sequence[Edit], *, written: bool) -> None:
    """Shows what changes in each file, or that nothing changes, and whether the files were written."""
    for edit in edits:
        if not edit.changes:
            tell(f"{plain(edit.file)} says so already")
            continue
        show_diff(edit)
    changed = [plain(edit.file) for edit in edits if edit.changes]
    if changed and written:
        tell(f"wrote {', '.join(changed)}; next: meshc compile")
    elif changed:
        say("nothing is written without --write")

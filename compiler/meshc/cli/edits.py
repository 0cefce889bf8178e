"""edits turns a change of mesh.yaml into a diff to read."""

from __future__ import annotations

import difflib
import sys
from typing import TYPE_CHECKING

from meshc.cli.report import paint, say, tell
from meshc.plain import plain

if TYPE_CHECKING:
    from meshc.commands.edit import Edit

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def show_edit(edit: Edit, *, written: bool) -> None:
    """Shows what changes in mesh.yaml, or that nothing does, and whether that is written."""
    if not edit.changes:
        tell(f"{edit.file} says so already")
        return
    before, after = (text.decode().splitlines() for text in (edit.before, edit.after))
    for line in difflib.unified_diff(before, after, edit.file, edit.file, lineterm="", n=2):
        colour = _COLOURS.get(line[:1])
        tell(paint(plain(line), colour, sys.stdout) if colour else plain(line))
    if written:
        tell(f"wrote {edit.file}; next: meshc compile")
    else:
        say("nothing is written without --write")

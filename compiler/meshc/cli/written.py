"""written turns changes of mesh.yaml into a diff to read, and into the file where they are to be written."""

from __future__ import annotations

import difflib
import sys
from typing import TYPE_CHECKING, Any

from meshc.cli.report import paint, say, tell
from meshc.disk.units import Change
from meshc.errors import stop_on
from meshc.mesh.parse import parse
from meshc.mesh.source import load
from meshc.plain import plain
from meshc.yamltext.edit import with_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshc.commands.opened import Opened
    from meshc.errors import Path


def show_or_write(opened: Opened, values: Mapping[Path, Any], write: bool) -> bool:
    """Shows what changes in mesh.yaml, and writes it where that is asked for; whether anything changes.

    Comments and layout stay. Raises EditError, ProblemsError if what was captured has the wrong shape.
    """
    source = opened.source
    after = with_values(source.data, source.file, values)
    if after == source.data:
        tell(f"{source.file} says so already")
        return False
    _, problems = parse(load(after, source.file).document)
    stop_on(problems)
    for line in difflib.unified_diff(
        source.data.decode().splitlines(), after.decode().splitlines(), source.file, source.file, lineterm="", n=2
    ):
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
        tell(paint(plain(line), colour, sys.stdout) if colour else plain(line))
    if write:
        name = source.file.rpartition("/")[2]
        opened.repository.change({name: Change(source.data, after)})
        tell(f"wrote {source.file}; next: meshc compile")
    else:
        say("nothing is written without --write")
    return True

"""Prints `meshc capture inventory`: the current clusters of an inventory, as a diff of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from meshc.cli.edits import show_edits
from meshc.cli.progress import TERMINAL
from meshc.cli.report import say, tell
from meshc.commands.capture_inventory import Wanted, captured_inventory, rights_of
from meshc.errors import Exit
from meshc.plain import count
from meshc.plan.unknown import some

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.commands.live_clusters import Reach


def inventory_command(file: Path, wanted: Wanted, reach: Reach, write: bool) -> None:
    """Prints the diff. Exits 1 if the file differs and isn't written."""
    found = captured_inventory(file, wanted, reach, TERMINAL, write=write)
    if found.missing:
        say(f"no entry of spec.clustersFrom names {found.edit.file} yet; first add:\n    {found.missing}")
    show_edits([found.edit], written=write)
    for what, names in found.changes.items():
        if names:
            say(f"  {what:<8} {some(names)}")
    say(f"{count(len(found.clusters), 'cluster')} in {found.edit.file}")
    if found.edit.changes and not write:
        raise typer.Exit(Exit.DIFFERS)


def rights_command(wanted: Wanted) -> None:
    """Prints the rights that a format needs, as manifests."""
    tell(rights_of(wanted).rstrip("\n"))

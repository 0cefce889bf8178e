"""`meshc adopt`: a first mesh.yaml for clusters that run already, and what ours would change in them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from meshc.cli.progress import TERMINAL
from meshc.cli.report import count, paint, say, tell
from meshc.commands.adopt import adopted, of_first_sync, surveyed
from meshc.commands.opened import Opened
from meshc.errors import Exit
from meshc.plain import plain
from meshc.review.terminal import lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.capture.dump import Dump
    from meshc.commands.living import Reach


def adopt_command(file: Path, folder: Path | None, reach: Reach, namespace: str, difference: bool) -> None:
    """Writes files that aren't there yet, or none; with `difference`, compares and writes nothing."""
    found = surveyed(folder, reach, namespace)
    if difference:
        _difference(file, found)
        return
    made = adopted(file, found)
    for path in made.files:
        tell(f"wrote {(file.parent / path).as_posix()}")
    for dump in found:
        over = f", {count(dump.passed_over, 'file')} passed over" if dump.passed_over else ""
        say(f"  {dump.cluster}: {count(len(dump.bodies), 'object')} read{over}")
        for why in dump.unread:
            say(f"  look at: {plain(why)}{': the whole file is passed over' if folder else ''}")
    for note in made.notes:
        say(f"  look at: {plain(note)}")
    tell("next: meshc validate, then the same command with --diff")


def _difference(file: Path, found: Sequence[Dump]) -> None:
    """What the first sync would do, object by object; exit 1 where it does something."""
    difference = of_first_sync(Opened(file, listener=TERMINAL), found)
    for line in lines(difference, (), lambda text, colour: paint(text, colour, sys.stdout)):
        tell(line)
    say("secrets aren't compared; of an object that runs, only what meshc would set in it")
    if difference:
        raise typer.Exit(Exit.DIFFERS)

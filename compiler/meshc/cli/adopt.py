"""`meshc adopt`: a first mesh.yaml for clusters that run already, and what ours would change in them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from meshc.capture.adopt import adopt
from meshc.capture.dump import dumps
from meshc.capture.living import Home
from meshc.capture.theirs import as_applied
from meshc.cli.compiling import compiled_whole, expected_trees
from meshc.cli.opened import Opened
from meshc.cli.report import count, paint, say, tell
from meshc.cli.schema import schema_text
from meshc.disk.repository import Repository
from meshc.errors import Exit, UsageError
from meshc.kube import Body
from meshc.output.trees import OUTPUT
from meshc.plain import plain
from meshc.review.diff import compare
from meshc.review.terminal import lines
from meshc.tree import FileTree


def adopt_command(file: Path, folder: Path, difference: bool) -> None:
    """Writes files that aren't there yet, or none; with `difference`, compares and writes nothing."""
    if not folder.is_dir():
        raise UsageError(f'there is no folder "{folder}"')
    found = dumps(Repository.around(folder))
    if difference:
        _difference(file, {Home.of(dump).name: dump.bodies for dump in found})
        return
    made = adopt(found)
    files = {file.name: made.mesh.encode(), "mesh.schema.json": schema_text().encode(), **made.files}
    Repository.around(file.parent).create(FileTree(files))
    for path in files:
        tell(f"wrote {(file.parent / path).as_posix()}")
    for dump in found:
        over = f", {count(dump.passed_over, 'file')} passed over" if dump.passed_over else ""
        say(f"  {dump.cluster}: {count(len(dump.bodies), 'object')} read{over}")
        for why in dump.unread:
            say(f"  look at: {plain(why)}: the whole file is passed over")
    for note in made.notes:
        say(f"  look at: {plain(note)}")
    tell(f"next: meshc validate, then meshc adopt --from {folder} --diff")


def _difference(file: Path, theirs: Mapping[str, Sequence[Body]]) -> None:
    """What the first sync would do, object by object; exit 1 where it does something."""
    opened = Opened(file)
    output = expected_trees(opened, compiled_whole(opened), None).under(OUTPUT)
    found = compare(*as_applied(theirs, output))
    for line in lines(found, (), lambda text, colour: paint(text, colour, sys.stdout)):
        tell(line)
    say("secrets aren't compared; of an object that runs, only what meshc would set in it")
    if found:
        raise typer.Exit(Exit.DIFFERS)

"""`meshc adopt`: writes a first mesh.yaml for live clusters, and shows what meshc would change in them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, paint, say, show_problems, tell, tell_bytes
from meshc.commands.adopt import adopted, of_first_sync, rights_to_adopt, script_to_dump, surveyed
from meshc.commands.opened import Opened
from meshc.errors import Exit
from meshc.plain import count, plain
from meshc.review.blocks import some
from meshc.review.terminal import lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshc.capture.dump import Dump
    from meshc.commands.live_clusters import Reach
    from meshc.kube import Identity

_NAMES = 6
HAND_OVER = "docs/hand-over.md"


def script_command(namespace: str) -> None:
    """Prints the script that makes dumps for `--from`."""
    tell_bytes(script_to_dump(namespace).encode())


def rights_command(namespace: str) -> None:
    """Prints the rights that adopt needs in live clusters."""
    tell_bytes(rights_to_adopt(namespace).encode())


def adopt_command(file: Path, folder: Path | None, reach: Reach, namespace: str, difference: bool, parts: bool) -> None:
    """Writes the files, or none if one of them exists already. With `difference`, only compares.

    Exits 3 if the written mesh.yaml doesn't compile because a person must fill in a value.
    """
    found = surveyed(folder, reach, namespace, TERMINAL)
    if difference:
        _difference(file, found)
        return
    made = adopted(file, found, parts=parts)
    for path in made.files:
        tell(f"wrote {(file.parent / path).as_posix()}")
    said: set[str] = set()
    for dump in found:
        over = f", {count(dump.passed_over, 'file')} ignored" if dump.passed_over else ""
        say(f"  {plain(dump.cluster)}: {count(len(dump.bodies), 'object')} read{over}")
        for why in dump.unread:
            if why not in said:  # notes of a folder with several clusters, only once
                say(f"  not read: {plain(why)}")
            said.add(why)
    for note in made.notes:
        say(f"  look at: {plain(note)}")
    for what in made.asked:
        say(f"  {paint('tell', 'yellow')}: {plain(what)}")
    if not made.holds:
        show_problems(made.problems, Format.TEXT, file)
        say(f"{file.as_posix()} was written, but doesn't compile until you fill in these values")
        raise typer.Exit(Exit.WRONG_INPUT)
    tell("next: meshc validate, then the same command with --diff")


def _difference(file: Path, found: Sequence[Dump]) -> None:
    """The changes of the first sync, object by object. Exits 1 if there are any."""
    compared = of_first_sync(Opened(file, listener=TERMINAL), found)
    for line in lines(compared.difference, (), lambda text, colour: paint(text, colour, sys.stdout)):
        tell(line)
    for what, identities in (
        (
            "gets a label that says it is meshc's, or an annotation that keeps it, and nothing else",
            compared.sides.marked,
        ),
        ("isn't in the dump, so it isn't compared", compared.sides.unread),
    ):
        for line in _listed(what, identities):
            tell(line)
    for (owner, cluster), found_of in compared.sides.owned.items():
        tell(f"{plain(str(owner))} applies what meshc will, so hand it over:")
        tell(f"  {plain(cluster)}: {some(map(str, found_of), _NAMES)}")
    if compared.sides.owned:
        say(f"the order for each owner: {HAND_OVER}")
    say("secrets aren't compared; of an object that runs, only what meshc would set in it")
    if compared.difference:
        raise typer.Exit(Exit.DIFFERS)


def _listed(what: str, identities: Mapping[str, Sequence[Identity]]) -> list[str]:
    if not identities:
        return []
    rows = [f"  {plain(cluster)}: {some(map(str, found), _NAMES)}" for cluster, found in identities.items()]
    return [f"{what}:", *rows]

"""Prints `meshc capture credentials`: the token of each remote, the files, and the remaining steps."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from meshc.cli.alike import alike, named
from meshc.cli.progress import TERMINAL
from meshc.cli.report import say, tell, warn
from meshc.cli.table import Line, show_table
from meshc.commands.capture_credentials import CapturedCredentials, State, Wanted, captured_credentials
from meshc.plain import count

if TYPE_CHECKING:
    from meshc.commands.clusters import Choice
    from meshc.commands.live_clusters import Reach

_COLOURS = {State.SEALED: "green", State.UP_TO_DATE: "", State.FAILED: "red"}
_WRITTEN = 12


def credentials_command(file: Path, choice: Choice, reach: Reach, wanted: Wanted) -> None:
    """Reads tokens of remotes, seals them, and prints the outcome of each."""
    found = captured_credentials(file, choice, reach, wanted, TERMINAL)
    for warning in found.warnings:
        warn(warning)
    if not found.each:
        for one in found.outcomes:
            tell(f"{one.cluster}: {one.says}")
    for owed in found.owed:
        tell(f"put into the store: {owed.key}, property {owed.field}")
    for path in found.written[:_WRITTEN]:
        tell(f"wrote {path}")
    if more := found.written[_WRITTEN:]:
        tell(f"wrote {count(len(more), 'more file')}")
    for line in found.left:
        tell(line)
    if found.each:
        _show(found)
    if found.written:
        tell("next: meshc compile")
    if found.exit:
        raise typer.Exit(found.exit)


def _show(found: CapturedCredentials) -> None:
    """Prints a row for each cluster, or for clusters with the same outcome, failures last. Then prints the number of
    clusters in each state."""
    last = sorted(found.outcomes, key=lambda one: one.state is State.FAILED)
    show_table(
        ("CLUSTER", "STATE", "FOUND"),
        (
            Line(
                (named([one.cluster for one in same]), same[0].state, same[0].says),
                [f"hint: {same[0].hint}"] if same[0].hint else [],
                _COLOURS[same[0].state],
            )
            for same in alike(last, lambda one: (one.state, one.says, one.hint))
        ),
    )
    states = Counter(one.state for one in found.outcomes)
    told = ", ".join(f"{states[state]} {state}" for state in State if states[state])
    say(f"{count(len(found.outcomes), 'cluster')}: {told}")

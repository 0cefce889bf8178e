"""Asks the person at the terminal for permission to change something in a live cluster."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from meshc.cli.report import say
from meshc.errors import UsageError

if TYPE_CHECKING:
    from meshc.commands.live_clusters import Leave


def consent(yes: bool) -> Leave:
    """Announces each change and asks for permission; doesn't ask if the person passed `yes`."""

    def ask(what: str) -> None:
        say(f"  {what}")
        if yes:
            return
        if not sys.stdin.isatty():
            raise UsageError(
                "this changes something in a live cluster, and there is no terminal to ask for permission", "--yes"
            )
        if not typer.confirm("go on?", err=True):
            raise UsageError("nothing was made")

    return ask

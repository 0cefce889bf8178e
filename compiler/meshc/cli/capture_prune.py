"""Prints `meshc capture credentials --prune-tokens`: the old tokens that were deleted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from meshc.cli.progress import TERMINAL
from meshc.cli.report import tell
from meshc.commands.capture_prune import pruned

if TYPE_CHECKING:
    from meshc.commands.clusters import Choice
    from meshc.commands.live_clusters import Reach


def prune_command(file: Path, choice: Choice, reach: Reach) -> None:
    """Prints what was deleted, remote by remote."""
    for one in pruned(file, choice, reach, TERMINAL):
        for secret in one.deleted:
            tell(f"{one.remote}: deleted {secret}")
        if not one.deleted:
            tell(f"{one.remote}: no token of meshc's is left over")

"""Prints `meshc capture addresses`: the addresses of a live control plane, as a change of mesh.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from meshc.cli.edits import show_edits
from meshc.cli.progress import TERMINAL
from meshc.commands.capture_addresses import captured_addresses

if TYPE_CHECKING:
    from meshc.commands.live_clusters import Reach


def addresses_command(file: Path, name: str, reach: Reach, write: bool) -> None:
    """Shows every address that changed or is missing in mesh.yaml."""
    show_edits(captured_addresses(file, name, reach, TERMINAL, write=write), written=write)

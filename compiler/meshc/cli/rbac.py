"""Prints the least rights that a command needs in live clusters, for `--print-rbac`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.progress import TERMINAL
from meshc.cli.report import tell_bytes
from meshc.commands.doctor import Depth
from meshc.commands.opened import Opened
from meshc.commands.rbac import rbac_of

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.capture.rbac import Asker
    from meshc.commands.clusters import Choice


def rbac_command(asker: Asker, file: Path, choice: Choice, depth: Depth = Depth.PLAIN) -> None:
    """Prints manifests for clusters of a mesh.yaml."""
    tell_bytes(rbac_of(asker, Opened(file, listener=TERMINAL), choice, depth).encode())

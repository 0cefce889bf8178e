"""Prints `meshc capture services`: the copied Services of a namespace."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from meshc.cli.progress import TERMINAL
from meshc.cli.report import say, tell
from meshc.commands.capture_services import Wanted, captured_services
from meshc.plain import count

if TYPE_CHECKING:
    from meshc.commands.live_clusters import Reach


def services_command(file: Path, name: str, wanted: Wanted, reach: Reach) -> None:
    """Prints the file, and the entry that mesh.yaml still needs."""
    found = captured_services(file, name, wanted, reach, TERMINAL)
    tell(f"{found.target}: {count(found.services, 'Service')} of {name}{'' if found.changed else ', as before'}")
    if not found.is_named:
        folder = posixpath.dirname(found.target)
        say("no entry of spec.services names it yet; add:")
        say(f"    - name: {wanted.entry_name}\n      manifests: {folder}\n      clusters: [{name}]")

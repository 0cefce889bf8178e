"""What `meshc capture services` says: a namespace's Services, in the folder that mesh.yaml names for them."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from meshc.cli.progress import TERMINAL
from meshc.cli.report import count, say, tell
from meshc.commands.capture_services import Wanted, captured_services

if TYPE_CHECKING:
    from meshc.commands.living import Reach


def services_command(file: Path, name: str, wanted: Wanted, reach: Reach) -> None:
    """Tells the file, and the entry of mesh.yaml that is still to be written."""
    found = captured_services(file, name, wanted, reach, TERMINAL)
    tell(f"{found.target}: {count(found.services, 'Service')} of {name}{'' if found.changed else ', as before'}")
    if not found.is_named:
        folder = posixpath.dirname(found.target)
        say("no entry of spec.services names it yet; add:")
        say(f"    - name: {wanted.entry_name}\n      manifests: {folder}\n      clusters: [{name}]")

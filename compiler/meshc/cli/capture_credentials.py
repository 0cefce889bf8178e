"""What `meshc capture credentials` says: the token of each remote, the files, and what is left to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from meshc.cli.consent import consent
from meshc.cli.progress import TERMINAL
from meshc.cli.report import tell, warn
from meshc.commands.capture_credentials import Wanted, captured_credentials

if TYPE_CHECKING:
    from meshc.commands.clusters import Choice
    from meshc.commands.living import Reach


def credentials_command(file: Path, choice: Choice, reach: Reach, wanted: Wanted, yes: bool) -> None:
    """Reads a token of each remote, seals them all, or writes nothing."""
    found = captured_credentials(file, choice, reach, wanted, consent(yes), TERMINAL)
    for warning in found.warnings:
        warn(warning)
    for line in found.tokens:
        tell(line)
    for each in found.owed:
        tell(f"put into the store: {each.key}, property {each.field}")
    for path in found.written:
        tell(f"wrote {path}")
    for line in found.left:
        tell(line)
    tell("next: meshc compile")

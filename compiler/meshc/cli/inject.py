"""`meshc inject`: adds sidecars to manifests, for clusters without an injection webhook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.progress import TERMINAL
from meshc.cli.report import tell_bytes
from meshc.commands.inject import injected
from meshc.commands.opened import Opened
from meshc.commands.user_inputs import read_given

if TYPE_CHECKING:
    from pathlib import Path


def inject_command(manifest: Path, name: str, namespace: str | None, file: Path) -> None:
    """Prints the manifest with sidecars."""
    tell_bytes(injected(Opened(file, listener=TERMINAL), name, read_given(manifest, TERMINAL), namespace))

"""`meshc values`: the Helm values of a cluster, for those who install by other means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.progress import TERMINAL
from meshc.cli.report import tell
from meshc.commands.opened import Opened
from meshc.commands.values import values

if TYPE_CHECKING:
    from pathlib import Path


def values_command(name: str, chart: str | None, file: Path) -> None:
    """Prints the values of each chart, or of one."""
    for number, one in enumerate(values(Opened(file, listener=TERMINAL), name, chart)):
        tell(("---\n" if number else "") + f"# chart {one.chart}, release {one.release}, namespace {one.namespace}")
        tell(one.text.rstrip("\n"))

"""`meshc vendor`: downloads Istio's charts into the repository, and pins them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.charts import helm
from meshc.charts.vendor import vendor
from meshc.cli.progress import TERMINAL
from meshc.cli.report import tell
from meshc.commands.opened import opened_for_writing
from meshc.errors import MeshcError
from meshc.pipeline import fleet_of
from meshc.plain import count

if TYPE_CHECKING:
    from pathlib import Path


def vendor_command(file: Path) -> None:
    """Downloads charts from the network and writes the lock file. Prints the digest of each chart."""
    opened = opened_for_writing(file, TERMINAL)
    fleet = fleet_of(opened.source)
    if fleet.mesh.spec.istio.charts is None:
        raise MeshcError("mesh.yaml names no charts", "add charts: {source: ...} under spec.istio")
    vendored = vendor(fleet, opened.source, opened.repository, lambda: helm.find(opened.repository), TERMINAL.steps)
    for chart in vendored.charts:
        tell(f"{chart.name} {chart.version}  {chart.digest}  {chart.path}")
    changed = f"{count(len(vendored.changed), 'file')} changed" if vendored.changed else "nothing changed"
    tell(f"{count(len(vendored.charts), 'chart')} pinned, {changed}")

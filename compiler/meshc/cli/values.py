"""`meshc values`: the Helm values of a cluster, for those who install by other means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.progress import TERMINAL
from meshc.cli.report import tell
from meshc.commands.opened import Opened
from meshc.errors import UsageError
from meshc.pipeline import plan_for_values
from meshc.plan.values import charts_in, values_of
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from pathlib import Path


def values_command(name: str, chart: str | None, file: Path) -> None:
    """Prints the values of each chart, or of one. Needs neither charts nor helm."""
    plan = plan_for_values(Opened(file, listener=TERMINAL).source)
    if name not in (clusters := [cluster.name for cluster in plan.clusters]):
        raise UsageError(f'there is no cluster "{name}"\n  hint: clusters: {", ".join(clusters)}')
    cluster = plan.cluster(name)
    found = [one for one in charts_in(plan, cluster) if chart in (None, one[0], one[1])]
    if not found:
        known = ", ".join(one[0] for one in charts_in(plan, cluster))
        raise UsageError(f'{name} isn\'t installed with a chart "{chart}"\n  hint: charts there: {known}')
    for number, (one, release, namespace, own) in enumerate(found):
        tell(("---\n" if number else "") + f"# chart {one}, release {release}, namespace {namespace}")
        tell(write(values_of(plan, cluster, one, release, own)).rstrip("\n"))

"""check_charts turns what mesh.yaml says of charts and values into problems that need no chart to be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from meshc import codes
from meshc.mesh.charts import AT, wanted

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source


def charts(fleet: Fleet, source: Source) -> Iterator[Problem]:
    """Charts that the mesh's generation hasn't got, and values that nothing is rendered with."""
    given = fleet.mesh.spec.istio.charts
    for number, extra in enumerate(given.also if given and fleet.classic else ()):
        what = f"chart {extra.chart} is one of istiod's, and this mesh is classic"
        yield source.problem(codes.CHARTS_OF_ISTIOD, (*AT, "also", number), what, "take it out")
    rendered = {member.name for member in fleet if any(one.at == AT for one in wanted(fleet, member))}
    hint = "name istio.charts, or acknowledge it where meshc values hands them to another installer"
    if fleet.mesh.spec.istio.values and not rendered:
        what = "no cluster is rendered from a chart, so these values change nothing"
        yield source.problem(codes.VALUES_UNUSED, ("spec", "istio", "values"), what, hint, key=True)
    for member in fleet:
        if member.cluster.istio.values and member.name not in rendered:
            what = f"{member.name} isn't rendered from a chart, so these values change nothing"
            path, about = member.path("istio", "values"), (member.name,)
            yield source.problem(codes.VALUES_UNUSED, path, what, hint, key=True, clusters=about)

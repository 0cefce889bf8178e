"""Checks the charts and values in mesh.yaml, without reading a chart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from meshc import codes
from meshc.mesh.charts import AT, wanted
from meshc.mesh.east_west import goes_to
from meshc.mesh.revisions import AT as FURTHER

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source


def charts(fleet: Fleet, source: Source) -> Iterator[Problem]:
    """Warns of Helm values that no chart is rendered with."""
    rendered = {member.name for member in fleet if any(one.at == AT for one in wanted(fleet, member))}
    hint = "set istio.charts; or acknowledge it if another installer uses the output of meshc values"
    if fleet.mesh.spec.istio.values and not rendered:
        what = "meshc renders no charts for this mesh, so these values change nothing"
        yield source.problem(codes.VALUES_UNUSED, ("spec", "istio", "values"), what, hint, key=True)
    for number, one in enumerate(fleet.mesh.spec.istio.control_planes):
        if one.values and not rendered.intersection(fleet.choose(one.clusters)):
            what = f"meshc renders no chart for revision {one.revision}, so these values change nothing"
            yield source.problem(codes.VALUES_UNUSED, (*FURTHER, number, "values"), what, hint, key=True)
    for member in fleet:
        if member.cluster.istio.values and member.name not in rendered:
            what = f"meshc renders no charts for {member.name}, so these values change nothing"
            path, about = member.path("istio", "values"), (member.name,)
            yield source.problem(codes.VALUES_UNUSED, path, what, hint, key=True, clusters=about)


def of_istiod(fleet: Fleet, source: Source) -> Iterator[Problem]:
    """Reports charts that classic Istio doesn't have."""
    given = fleet.mesh.spec.istio.charts
    for number, extra in enumerate(given.also if given else ()):
        what = f"chart {extra.chart} belongs to istiod, but this mesh is classic Istio"
        yield source.problem(codes.CHARTS_OF_ISTIOD, (*AT, "also", number), what, "remove it")


def gateways(fleet: Fleet, source: Source) -> Iterator[Problem]:
    """A gateway chart needs a cluster that uses it, and a webhook there that injects the image into its pods."""
    given = fleet.mesh.spec.istio.charts
    for number, extra in enumerate(given.also if given else ()):
        if extra.chart != "gateway":
            continue
        here = [member for member in fleet if goes_to(fleet, extra, member)]
        if not here and fleet.choose(extra.clusters):
            why = (
                "ambient clusters have their own gateway"
                if fleet.only_ambient
                else "there is one network, and no exposure: gateway"
            )
            what = f"none of these clusters needs an east-west gateway: {why}"
            hint = "remove the chart, or give its release another name if it is a gateway of yours"
            yield source.problem(codes.EMPTY_SELECTION, (*AT, "also", number), what, hint)
        for member in here:
            if member.cluster.sidecar_injection == "manual":
                what = f"{member.name}: injection is manual, but a gateway's pods only get their image from injection"
                hint = "exclude the cluster from the chart's clusters, or remove sidecarInjection: manual"
                path, also = member.path("sidecarInjection"), (source.document.place((*AT, "also", number)),)
                yield source.problem(codes.GATEWAY_NOT_INJECTED, path, what, hint, also=also, clusters=(member.name,))

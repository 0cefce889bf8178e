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
    hint = "name istio.charts, or acknowledge it where meshc values hands them to another installer"
    if fleet.mesh.spec.istio.values and not rendered:
        what = "no cluster is rendered from a chart, so these values change nothing"
        yield source.problem(codes.VALUES_UNUSED, ("spec", "istio", "values"), what, hint, key=True)
    for number, one in enumerate(fleet.mesh.spec.istio.control_planes):
        if one.values and not rendered.intersection(fleet.choose(one.clusters)):
            what = f"{one.revision} isn't rendered from a chart anywhere, so these values change nothing"
            yield source.problem(codes.VALUES_UNUSED, (*FURTHER, number, "values"), what, hint, key=True)
    for member in fleet:
        if member.cluster.istio.values and member.name not in rendered:
            what = f"{member.name} isn't rendered from a chart, so these values change nothing"
            path, about = member.path("istio", "values"), (member.name,)
            yield source.problem(codes.VALUES_UNUSED, path, what, hint, key=True, clusters=about)


def of_istiod(fleet: Fleet, source: Source) -> Iterator[Problem]:
    """Reports charts that classic Istio doesn't have."""
    given = fleet.mesh.spec.istio.charts
    for number, extra in enumerate(given.also if given else ()):
        what = f"chart {extra.chart} is one of istiod's, and this mesh is classic"
        yield source.problem(codes.CHARTS_OF_ISTIOD, (*AT, "also", number), what, "take it out")


def gateways(fleet: Fleet, source: Source) -> Iterator[Problem]:
    """A gateway chart needs a cluster that uses it, and a webhook there that injects the image into its pods."""
    given = fleet.mesh.spec.istio.charts
    for number, extra in enumerate(given.also if given else ()):
        if extra.chart != "gateway":
            continue
        here = [member for member in fleet if goes_to(fleet, extra, member)]
        if not here and fleet.choose(extra.clusters):
            why = (
                "ambient has one of its own" if fleet.only_ambient else "there is one network, and no exposure: gateway"
            )
            what = f"none of these clusters needs an east-west gateway: {why}"
            hint = "take the chart out, or give it a release of another name: it is then a gateway of your own"
            yield source.problem(codes.EMPTY_SELECTION, (*AT, "also", number), what, hint)
        for member in here:
            if member.cluster.sidecar_injection == "manual":
                what = f"{member.name}: injection is manual, and a gateway's pods have no image but the injected one"
                hint = "leave the cluster out of the chart's clusters, or take sidecarInjection: manual out"
                path, also = member.path("sidecarInjection"), (source.document.place((*AT, "also", number)),)
                yield source.problem(codes.GATEWAY_NOT_INJECTED, path, what, hint, also=also, clusters=(member.name,))

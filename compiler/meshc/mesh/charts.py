"""charts turns spec.istio.charts into the charts that each cluster is rendered with, and the folder each lies in."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.mesh import east_west
from meshc.mesh.fleet import is_external, selects
from meshc.mesh.revisions import planes

if TYPE_CHECKING:
    from meshc.errors import Path
    from meshc.kube import Version
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.model import Charts

AT: Path = ("spec", "istio", "charts")

FOLDERS: Mapping[str, tuple[str, ...]] = {
    "istio": ("install/kubernetes/helm/istio", "istio"),
    "istio-remote": ("install/kubernetes/helm/istio-remote", "istio-remote"),
    "base": ("manifests/charts/base", "base"),
    "istiod": ("manifests/charts/istio-control/istio-discovery", "istiod"),
    "cni": ("manifests/charts/istio-cni", "cni"),
    "ztunnel": ("manifests/charts/ztunnel", "ztunnel"),
    "gateway": ("manifests/charts/gateway", "gateway"),
}
"""Where each chart lies: in a release of Istio, else in a folder of vendored charts."""

RELEASES: Mapping[str, str] = {
    "istio": "istio",
    "istio-remote": "istio-remote",
    "base": "istio-base",
    "istiod": "istiod",
    "cni": "istio-cni",
    "ztunnel": "ztunnel",
    "gateway": east_west.RELEASE,
}
"""The name under which Istio's documents install each chart."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A chart that one cluster is rendered with. `at` is where mesh.yaml asks for it; `values` are those of its own."""

    chart: str
    version: Version
    release: str
    namespace: str
    values: Mapping[str, Any]
    at: Path
    revision: str = ""
    """A gateway's: who injects its pods, if mesh.yaml says so."""


def wanted(fleet: Fleet, member: Member) -> Iterator[Wanted]:
    """The charts of a cluster, in the order in which they are installed; none where `charts` leaves the cluster out."""
    istio = fleet.mesh.spec.istio
    if istio.charts is None:
        return
    version = fleet.version_of(member)
    if selects(istio.charts.clusters, member.cluster):
        for chart in control_plane(fleet, member):
            yield from _of_planes(fleet, member, chart)
    for number, extra in enumerate(istio.charts.also):
        if east_west.goes_to(fleet, extra, member):
            release = extra.release or release_of(extra.chart, "default")
            at = (*AT, "also", number)
            yield Wanted(
                extra.chart,
                version,
                release,
                extra.namespace or istio.namespace,
                extra.values,
                at,
                extra.revision or "",
            )


def _of_planes(fleet: Fleet, member: Member, chart: str) -> Iterator[Wanted]:
    """istiod once for each control plane; anything else once, and base, with its CRDs, of the newest version there."""
    every = planes(fleet, member)
    once = max(every, key=fleet.version_of) if chart == "base" else member
    for plane in every if chart == "istiod" else (once,):
        release = release_of(chart, fleet.revision_of(plane))
        yield Wanted(chart, fleet.version_of(plane), release, fleet.mesh.spec.istio.namespace, {}, AT)


def release_of(chart: str, revision: str) -> str:
    """The release of a chart; of istiod there is one for each revision."""
    return RELEASES[chart] + ("" if revision == "default" or chart != "istiod" else f"-{revision}")


def control_plane(fleet: Fleet, member: Member) -> tuple[str, ...]:
    """What a cluster's part of the control plane is installed with.

    An external istiod reads no configuration where it runs, so nothing of chart base is needed there.
    """
    if fleet.classic:
        return ("istio-remote",) if member.cluster.role == "remote" else ("istio",)
    return ("istiod",) if is_external(member.cluster) else ("base", "istiod")


def is_pulled(charts: Charts) -> bool:
    """Whether the charts come over the network, by meshc vendor."""
    return "://" in charts.source


def source_of(charts: Charts, version: Version) -> str:
    """The source of one version's charts."""
    return charts.source.replace("{version}", str(version))


def pulled_to(charts: Charts, chart: str, version: Version) -> str:
    """The file that meshc vendor puts a chart into."""
    return posixpath.join(charts.directory, f"{chart}-{version}.tgz")

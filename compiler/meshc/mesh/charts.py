"""Finds the charts for each cluster from spec.istio.charts, and the possible folders of each chart."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.mesh import east_west
from meshc.mesh.fleet import is_external
from meshc.mesh.revisions import planes
from meshc.mesh.selecting import selects

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
"""The possible paths of each chart: in a release of Istio, and in a folder of vendored charts."""

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
    """A chart for one cluster. `at` is its path in mesh.yaml; `values` are its own values."""

    chart: str
    version: Version
    release: str
    namespace: str
    values: Mapping[str, Any]
    at: Path
    revision: str = ""
    """For a gateway: the revision or tag that injects its pods, if mesh.yaml names one."""


def wanted(fleet: Fleet, member: Member) -> Iterator[Wanted]:
    """The charts of a cluster, in the order of installation; none if `charts` doesn't select the cluster."""
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
    """istiod once for each control plane; every other chart once, and base, which has the CRDs, in the newest version
    of the cluster."""
    every = planes(fleet, member)
    once = max(every, key=fleet.version_of) if chart == "base" else member
    for plane in every if chart == "istiod" else (once,):
        release = release_of(chart, fleet.revision_of(plane))
        yield Wanted(chart, fleet.version_of(plane), release, fleet.mesh.spec.istio.namespace, {}, AT)


def release_of(chart: str, revision: str) -> str:
    """The release name of a chart; istiod has one for each revision."""
    return RELEASES[chart] + ("" if revision == "default" or chart != "istiod" else f"-{revision}")


def control_plane(fleet: Fleet, member: Member) -> tuple[str, ...]:
    """The charts of a cluster's part of the control plane.

    An external istiod reads no configuration in its own cluster, so chart base isn't needed there.
    """
    if fleet.classic:
        return ("istio-remote",) if member.cluster.role == "remote" else ("istio",)
    return ("istiod",) if is_external(member.cluster) else ("base", "istiod")


def is_pulled(charts: Charts) -> bool:
    """True if meshc vendor downloads the charts."""
    return "://" in charts.source


def source_of(charts: Charts, version: Version) -> str:
    """The source of one version's charts."""
    return charts.source.replace("{version}", str(version))


def pulled_to(charts: Charts, chart: str, version: Version) -> str:
    """The file for a chart that meshc vendor downloads."""
    return posixpath.join(charts.directory, f"{chart}-{version}.tgz")

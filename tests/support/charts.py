"""Finds Istio's charts in MESHC_CHARTS, which has one folder for each release, named after its version. Tests use the
releases that are there.

A release or checkout of 1.0 has its charts in <version>/install/kubernetes/helm/, one of 1.24 or later in
<version>/manifests/charts/. Folders with other names, and versions that meshc doesn't support, are ignored.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from meshc.kube import Version
from meshc.supported import ISTIO

FOLDER = os.environ.get("MESHC_CHARTS", "")
PLACES = {
    "istio": "install/kubernetes/helm/istio",
    "istio-remote": "install/kubernetes/helm/istio-remote",
    "base": "manifests/charts/base",
    "istiod": "manifests/charts/istio-control/istio-discovery",
    "gateway": "manifests/charts/gateway",
    "cni": "manifests/charts/istio-cni",
    "ztunnel": "manifests/charts/ztunnel",
}
"""The path of each chart in a release."""


def _releases(chart: str, lines: Iterable[tuple[int, int]]) -> list[str]:
    """The versions of these minor releases that have a chart, the lowest first."""
    names = [path.name for path in Path(FOLDER).iterdir()] if FOLDER else []
    known = {name: version for name in names if (version := Version.parse(name)) and str(version) == name}
    found = [name for name, version in known.items() if version.line in lines]
    return sorted((name for name in found if Path(FOLDER, name, PLACES[chart]).is_dir()), key=known.__getitem__)


CLASSIC = _releases("istio-remote", [(1, 0)])
ISTIOD = _releases("istiod", ISTIO)
VERSIONS = CLASSIC + ISTIOD


def kubernetes_for(version: str) -> str:
    """The version of Kubernetes for which the charts of a release are rendered."""
    return "1.13" if version in CLASSIC else "1.31" if version.startswith(("1.24.", "1.25.")) else "1.34"


def has_ambient(version: str) -> bool:
    """True if ambient works between clusters, as it does since 1.27."""
    return version in ISTIOD and not version.startswith(("1.24.", "1.25.", "1.26."))


def need_charts(version: str, *charts: str) -> None:
    """Skips the test if a release lacks one of these charts."""
    missing = [chart for chart in charts if not Path(FOLDER, version, PLACES[chart]).is_dir()]
    if missing:
        pytest.skip(f"MESHC_CHARTS has no {', '.join(missing)} of {version}")

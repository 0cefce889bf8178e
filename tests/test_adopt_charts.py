"""A mesh set up by Istio's guides, from Istio's charts, is adopted as it is: what a sync would still change is here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from support import dumping
from support.charts import CLASSIC, ISTIOD, need_charts
from support.processes import said
from support.running_topologies import OF_CLASSIC, OF_ISTIOD
from support.tools import find_tool

pytestmark = [pytest.mark.thorough, pytest.mark.skipif(not ISTIOD, reason="MESHC_CHARTS names no charts")]

VERSION = next((version for version in ISTIOD if version.startswith("1.29.")), "")
ADDED = {
    "ambient in several networks": ["+ add Gateway istio-system/ambient-eastwestgateway  [east, west]"],
    "an external control plane": ["+ add ConfigMap istio-system/istio  [edge-1]"],
    "classic, strict": ["~ change ConfigMap istio-system/istio-sidecar-injector  [edge-1]"],
    "classic, by default": ["~ change ConfigMap istio-system/istio-sidecar-injector  [edge-1]"],
    "classic, permissive": ["~ change ConfigMap istio-system/istio-sidecar-injector  [edge-1]"],
}
"""What differs for a reason that docs/adopt.md tells."""


def first_sync(folder: Path, clusters: dict[str, list[dict[str, object]]]) -> list[str]:
    """The objects that a sync of what was adopted would change, beyond labels that tell whose they are."""
    find_tool("kubectl")
    for name, bodies in clusters.items():
        dumping.dump(folder / "dumps" / name, bodies)
    said("adopt", "--from", "dumps", cwd=folder)
    text = said("adopt", "--from", "dumps", "--diff", cwd=folder, code=1 if folder.name == "differs" else 0)
    return re.findall(r"(?m)^[+~-] .*$", text)


@pytest.mark.parametrize("title", OF_ISTIOD)
def test_a_mesh_of_istiod_is_adopted_as_it_is(title: str, tmp_path: Path) -> None:
    need_charts(VERSION, "base", "istiod", "gateway")
    place = tmp_path / ("differs" if title in ADDED else "same")
    place.mkdir()

    assert first_sync(place, OF_ISTIOD[title](VERSION)) == ADDED.get(title, [])


@pytest.mark.parametrize("title", OF_CLASSIC)
def test_a_classic_mesh_is_adopted_as_it_is(title: str, tmp_path: Path) -> None:
    need_charts(CLASSIC[-1] if CLASSIC else "1.0.6", "istio", "istio-remote")
    place = tmp_path / "differs"
    place.mkdir()
    found = first_sync(place, OF_CLASSIC[title](CLASSIC[-1]))
    spec = yaml.safe_load((place / "mesh.yaml").read_text())["spec"]

    assert found == ADDED[title]
    assert spec["security"]["mutualTLS"] == ("strict" if "strict" in title else "permissive")
    assert spec["security"]["ca"]["type"] == ("self-signed" if "default" in title else "plugged-in")
    addresses = {"pilot": "10.0.5.20", "policy": "10.0.5.22", "telemetry": "10.0.5.21"}
    assert next(one for one in spec["clusters"] if one["role"] == "primary")["controlPlane"]["addresses"] == addresses

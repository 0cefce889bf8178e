"""Fleets: what overrides, selections and clusters' own words come to when there are many clusters."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from fleet import fleet
from meshc.disk.repository import Repository
from meshc.mesh.source import load
from meshc.output.kustomize import Kustomize
from meshc.pipeline import Compiled, compile_mesh
from support.processes import said
from support.tools import find_tool

pytestmark = pytest.mark.thorough


def compiled(folder: Path, clusters: int, services: int) -> Compiled:
    def no_kustomize() -> Kustomize:
        raise AssertionError("nothing of the user's has to be built")

    source = load(fleet(clusters, services).encode(), "mesh.yaml")
    return compile_mesh(source, Repository.around(folder), no_kustomize)


def test_a_thousand_clusters_are_planned_and_laid_out(tmp_path: Path) -> None:
    result = compiled(tmp_path, 1000, 100)
    plan = result.plan
    remotes = plan.clusters[1:]

    assert len(plan.clusters) == 1000
    assert plan.clusters[0].remotes == tuple(cluster.name for cluster in remotes)
    assert Counter(str(cluster.istio) for cluster in remotes) == {"1.30.3": 666, "1.29.6": 333}
    assert {str(cluster.kubernetes) for cluster in plan.clusters} == {"1.34.0"}
    assert Counter(cluster.injection for cluster in remotes) == {"automatic": 888, "manual": 111}
    assert Counter(cluster.attachment.addresses["istiod"] for cluster in remotes if cluster.attachment is not None) == {
        "192.0.2.10": 950,
        "198.51.100.7": 49,
    }
    assert len(result.pending) == 999

    billing = [cluster.name for cluster in plan.clusters if any(n.name == "billing" for n in cluster.namespaces)]

    assert billing == [cluster.name for cluster in remotes if cluster.name.startswith("eu-")]
    assert len(result.layout.tree) == 3 * 1000 + 2 * 100  # three files a cluster, two a shared base


def test_a_fleet_compiles_and_is_in_step(tmp_path: Path) -> None:
    find_tool("kubectl")
    (tmp_path / "mesh.yaml").write_text(fleet(24, 12))
    for command in ("compile", "check"):
        said(command, cwd=tmp_path)

    names = [path.name for path in sorted((tmp_path / "output").iterdir()) if path.is_dir()]
    services = {
        name: list(yaml.safe_load_all((tmp_path / f"output/{name}/services.yaml").read_text())) for name in names
    }

    assert len(names) == 24
    assert [one["metadata"]["name"] for one in services["hub"]] == ["service-9"]
    assert {len(bodies) for name, bodies in services.items() if name != "hub"} == {11}

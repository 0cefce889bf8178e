"""Every object that the samples and cases render is one that its API server takes.

Held to Kubernetes' schemas and rules of names at the cluster's version, and to the CRDs of Istio and the Gateway API.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshc.commands.opened import Opened
from meshc.pipeline import plan_mesh
from support.api_names import refused
from support.cases import CASES, expected_trees, read
from support.paths import ROOT
from support.schemas import check

pytestmark = pytest.mark.thorough

MESHES = [ROOT, ROOT / "examples/classic", *(case for case in CASES if (case / "expected/tree").is_dir())]


def rendered(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of a mesh's committed output with its cluster."""
    files = expected_trees(folder) if folder in CASES else read(folder / "output", "output/")
    for path, data in files.items():
        if re.fullmatch(r"output/[^/]+/[^/]+\.yaml", path):
            for body in yaml.load_all(data, Loader=yaml.CSafeLoader):
                if body["kind"] != "Kustomization":
                    yield path.split("/")[1], body


@pytest.mark.parametrize("folder", MESHES, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_objects_fit_their_schemas(folder: Path) -> None:
    versions = kubernetes_versions(folder / "mesh.yaml")
    checked: dict[str, list[Any]] = {}
    for cluster, body in rendered(folder):
        if "sops" in body:  # Flux takes it out before it applies
            body = {key: value for key, value in body.items() if key != "sops"}
        check(body, versions[cluster])
        checked.setdefault(cluster, []).append(body)
    assert checked
    assert [refused(bodies) for bodies in checked.values()] == [[]] * len(checked)


def kubernetes_versions(mesh: Path) -> dict[str, str]:
    plan = plan_mesh(Opened(mesh).source)
    return {cluster.name: f"{cluster.kubernetes.major}.{cluster.kubernetes.minor}" for cluster in plan.clusters}

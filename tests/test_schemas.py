"""Every object that the samples and cases render is one that its API server takes.

Held to Kubernetes' own schemas at the cluster's version, and to the CRDs of Istio and the Gateway API.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshc.cli.opened import Opened
from meshc.pipeline import compile_mesh
from support.cases import CASES, expected_trees, id_of, read
from support.paths import ROOT
from support.schemas import check
from support.tools import find_helm

MESHES = [ROOT / "mesh.yaml", ROOT / "examples/classic/mesh.yaml"]
MESHES += [case / "mesh.yaml" for case in CASES if (case / "expected/tree").is_dir()]


def rendered(mesh: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of a mesh's committed output with its cluster."""
    files = expected_trees(mesh.parent) if mesh.parent in CASES else read(mesh.parent / "output", "output/")
    for path, data in files.items():
        if re.fullmatch(r"output/[^/]+/[^/]+\.yaml", path):
            for body in yaml.load_all(data, Loader=yaml.CSafeLoader):
                if body["kind"] != "Kustomization":
                    yield path.split("/")[1], body


@pytest.mark.parametrize("mesh", MESHES, ids=lambda mesh: id_of(mesh.parent))
def test_objects_fit_their_schemas(mesh: Path) -> None:
    versions = kubernetes_versions(mesh)
    checked = 0
    for cluster, body in rendered(mesh):
        if "sops" in body:  # Flux takes it out before it applies
            body = {key: value for key, value in body.items() if key != "sops"}
        check(body, versions[cluster])
        checked += 1
    assert checked


def kubernetes_versions(mesh: Path) -> dict[str, str]:
    if (mesh.parent / "vendor").is_dir():
        find_helm()
    opened = Opened(mesh)
    alone = replace(opened.repository, root=opened.repository.base)  # as it is in its test, at the top of a repository
    plan = compile_mesh(opened.source, alone, lambda: opened.kustomize).plan
    return {cluster.name: f"{cluster.kubernetes.major}.{cluster.kubernetes.minor}" for cluster in plan.clusters}

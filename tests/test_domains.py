"""What is compiled names Services by the domain that mesh.yaml has, wherever a case names one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from support.cases import CASES, expected_trees
from support.generated_meshes import compiled


def istiod(case: Path) -> dict[str, Any]:
    """The mesh of a case."""
    loaded: dict[str, Any] = yaml.safe_load((case / "mesh.yaml").read_text())
    return loaded


ALONE = [
    case
    for case in CASES
    if {path.name for path in case.iterdir()} <= {"mesh.yaml", "commands", "expected"}
    and any(b".svc.cluster.local" in data for data in expected_trees(case).values())
    and not str(istiod(case)["spec"]["istio"]["version"]).startswith("1.0.")
]


@pytest.mark.parametrize("case", ALONE, ids=lambda case: case.name)
def test_nothing_is_named_under_another_domain(case: Path) -> None:
    mesh = istiod(case)
    mesh["spec"]["istio"] |= {"clusterDomain": "corp.example", "trustDomain": "prod.example"}

    files = compiled(mesh).layout.tree
    assert [path for path, data in files.items() if b"cluster.local" in data or b"*.local" in data] == []
    assert any(b".svc.corp.example" in data for data in files.values())


def test_cases_are_found() -> None:
    assert len(ALONE) > 5

"""Every field of the samples removed, emptied and set to what it can't be.

A problem with a place, or a valid mesh; never a traceback, and nothing written.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import ROOT, find_tool
from meshc.disk.repository import Repository
from meshc.errors import Path as Steps
from meshc.errors import Problem, ProblemsError
from meshc.mesh.source import load
from meshc.output.kustomize import find
from meshc.pipeline import compile_mesh

REMOVED = object()
WRONG: dict[str, Any] = {
    "removed": REMOVED,
    "empty": None,
    "no text": "",
    "number": 17,
    "truth": True,
    "list": [[]],
    "mapping": {"x": {}},
    "huge": "x" * 100_000,
    "control": "a\u0007\u202eb",
    "path": "../../../../../../etc/passwd",
    "template": "${HOME} {{ .Values }}",
}
MESHES = ["mesh.yaml", "examples/classic/mesh.yaml"]


def paths(data: Any, path: Steps = ()) -> Iterator[Steps]:
    if path:
        yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from paths(value, (*path, key))


def mutated(data: Any, path: Steps, value: Any) -> Any:
    changed = copy.deepcopy(data)
    parent = changed
    for step in path[:-1]:
        parent = parent[step]
    if value is REMOVED:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return changed


@pytest.fixture(scope="module", params=MESHES)
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Repository]:
    find_tool("kubectl")
    source = (ROOT / request.param).parent
    work = tmp_path_factory.mktemp("sample")
    for name in ("apps", "certificates", "sealed", "patches", "extra"):
        if (source / name).exists():
            shutil.copytree(source / name, work / name)
    (work / ".git").mkdir()
    return yaml.safe_load((ROOT / request.param).read_text()), Repository.around(work)


def problems_of(text: str, repository: Repository) -> Sequence[Problem]:
    """What is wrong with a mesh. Anything but problems passes through, and fails the test."""
    try:
        compile_mesh(load(text.encode(), "mesh.yaml"), repository, lambda: find(repository))
    except ProblemsError as error:
        return error.problems
    return ()


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_field_is_told_or_harmless(sample: tuple[Any, Repository], wrong: str) -> None:
    data, repository = sample
    refused = 0
    for path in paths(data):
        text = json.dumps(mutated(data, path, WRONG[wrong]), ensure_ascii=True)
        problems = problems_of(text, repository)
        refused += bool(problems)

        assert all(problem.place.file and problem.what and problem.code.id for problem in problems), path
        assert not any(len(problem.what) > 2000 for problem in problems), path

    assert refused > 10
    assert sorted(p.name for p in repository.base.iterdir() if p.name not in (".git", ".meshc")) == sorted(
        name
        for name in ("apps", "certificates", "sealed", "patches", "extra")
        if (Path(repository.base) / name).exists()
    )

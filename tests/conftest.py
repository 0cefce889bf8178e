"""Options and fixtures that all tests share."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

pytest.register_assert_rewrite("support")

from support import processes  # noqa: E402
from support.documents import checked_document  # noqa: E402
from support.publishing import Ground, new_ground  # noqa: E402
from support.tools import find_tool, in_full  # noqa: E402

MANY = 6
"""Variants of one test from which on a laptop leaves some to CI."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite what the cases expect; then look at the diff")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--update") and os.environ.get("CI"):
        raise pytest.UsageError("--update rewrites what the cases expect, and this is CI: run it on your machine")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: tests wait for Git, kustomize and meshc a quarter of their time."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a laptop, of a test in a thorough module that has many variants, each fifth one is run. CI runs all of them.

    A run of some modules or tests alone leaves nothing out.
    """
    if in_full() or {Path(word).name for word in config.args} - {"tests"}:
        return
    variants = Counter(item.nodeid.partition("[")[0] for item in items if item.get_closest_marker("thorough"))
    seen: Counter[str] = Counter()
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        name = item.nodeid.partition("[")[0]
        seen[name] += 1
        (left if variants[name] > MANY and seen[name] % 5 != 1 else kept).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


def pytest_sessionfinish() -> None:
    processes.stop()


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update"))


@pytest.fixture(scope="session")
def sample_mesh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `meshc init` makes, compiled once so that its cache is warm; without the trees."""
    find_tool("kubectl")
    folder = tmp_path_factory.mktemp("sample")
    processes.said("init", ".", cwd=folder)
    processes.said("compile", cwd=folder)
    for tree in ("overlays", "output"):
        shutil.rmtree(folder / tree)
    return folder


@pytest.fixture
def ground(tmp_path: Path, sample_mesh: Path) -> Ground:
    """A mesh in a real Git repository, and a person's Git settings."""
    find_tool("git")
    return new_ground(tmp_path, sample_mesh)


@pytest.fixture(autouse=True)
def every_document_fits_its_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each JSON document that a command writes in the process of the tests is held to what `meshc schema` prints."""
    monkeypatch.setattr("meshc.cli.report.document", checked_document)

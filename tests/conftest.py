"""Options and fixtures that all tests share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

pytest.register_assert_rewrite("support")

from support import processes  # noqa: E402
from support.publishing import Ground, new_ground  # noqa: E402
from support.tools import find_tool  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite what the cases expect; then look at the diff")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--update") and os.environ.get("CI"):
        raise pytest.UsageError("--update rewrites what the cases expect, and this is CI: run it on your machine")


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

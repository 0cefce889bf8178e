"""Options and fixtures that all tests share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from publishing import Ground, new_ground

if TYPE_CHECKING:
    from meshc.charts.helm import Helm

TESTS = Path(__file__).parent
ROOT = TESTS.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite what the cases expect; then look at the diff")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update"))


def find_tool(name: str) -> str:
    """A real binary, beside this Python or on PATH. Missing: skips on a laptop, fails in CI."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    found = shutil.which(name, path=path)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is missing, and this is CI")
        pytest.skip(f"{name} is missing")
    return found


def find_helm() -> Helm:
    """The helm that meshc itself would use: MESHC_HELM, beside this Python, or on PATH."""
    from meshc.charts import helm
    from meshc.disk.repository import Repository

    if not os.environ.get(helm.NAMED):
        os.environ[helm.NAMED] = find_tool("helm")
    return helm.find(Repository.around(Path(), cached=False))


@pytest.fixture(scope="session")
def sample_mesh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `meshc init` makes, compiled once so that its cache is warm; without the trees."""
    find_tool("kubectl")
    folder = tmp_path_factory.mktemp("sample")
    for command in ("init .", "compile"):
        subprocess.run([sys.executable, "-m", "meshc", *command.split()], cwd=folder, check=True, capture_output=True)
    for tree in ("overlays", "output"):
        shutil.rmtree(folder / tree)
    return folder


@pytest.fixture
def ground(tmp_path: Path, sample_mesh: Path) -> Ground:
    """A mesh in a real Git repository, and a person's Git settings."""
    find_tool("git")
    return new_ground(tmp_path, sample_mesh)

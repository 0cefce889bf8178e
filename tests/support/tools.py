"""Finds the programs that tests run. If one is missing, the test is skipped on a laptop and fails in CI."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from meshc.charts.helm import Helm


def find_tool(name: str) -> str:
    """The path of a program beside this Python or on PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    found = shutil.which(name, path=path)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is missing, and this is CI")
        pytest.skip(f"{name} is missing")
    return found


def in_full() -> bool:
    """True if a run tries everything: in CI, and with MESHC_TEST_LONG=1."""
    return bool(os.environ.get("CI")) or os.environ.get("MESHC_TEST_LONG") == "1"


def need_time(for_what: str) -> None:
    """Skips the test on a laptop, where `make test` must be fast. The test runs in CI, and with MESHC_TEST_LONG=1."""
    if not in_full():
        pytest.skip(f"{for_what} takes long; CI does it, and MESHC_TEST_LONG=1")


def tries(number: int) -> int:
    """The number of inputs for a test: `number` in CI and with MESHC_TEST_LONG=1, a fifth of it on a laptop."""
    return number if in_full() else max(1, number // 5)


def find_helm() -> Helm:
    """The helm that meshc itself would use: MESHC_HELM, beside this Python, or on PATH."""
    from meshc.charts import helm
    from meshc.disk.repository import Repository

    if not os.environ.get(helm.NAMED):
        os.environ[helm.NAMED] = find_tool("helm")
    return helm.find(Repository.around(Path(), cached=False))

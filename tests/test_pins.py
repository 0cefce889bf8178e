"""The lock files fit pyproject.toml and one another, and what is installed elsewhere has the same versions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from meshc import __version__
from support.paths import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS: dict[str, list[str | dict[str, str]]] = PROJECT["dependency-groups"]
RUNTIME = ROOT / "compiler/meshc/requirements.txt"
DEV, LIVE, BUILD, LOWEST, DOWNLOADS = (
    ROOT / f"requirements/{name}.txt" for name in ("dev", "live", "build", "lowest", "downloads")
)
LOCKS = [RUNTIME, DEV, LIVE, BUILD, LOWEST, DOWNLOADS]
STALE = "the lock files are old: run make lock"


def direct(*groups: str) -> list[Requirement]:
    """What pyproject.toml asks for: meshc's own dependencies, the extra `live`, and dependency groups."""
    found: list[Requirement] = []
    for group in groups:
        lists = {"runtime": PROJECT["project"]["dependencies"], **PROJECT["project"]["optional-dependencies"], **GROUPS}
        found += (Requirement(one) for one in lists[group] if isinstance(one, str))
    return found


def blocks(lock: Path) -> list[str]:
    """The requirements of a lock file, each on one line with its hashes."""
    text = re.sub(r" *\\\n *", " ", lock.read_text())
    return [line for line in text.splitlines() if line and not line.lstrip().startswith(("#", "--only-binary :all:"))]


def pinned(lock: Path) -> list[Requirement]:
    """The requirements of a lock file."""
    return [Requirement(block.split(" --hash=")[0]) for block in blocks(lock)]


def versions(lock: Path) -> dict[str, list[Version]]:
    """The versions of each package: several where systems or Pythons differ."""
    found: dict[str, list[Version]] = {}
    for one in pinned(lock):
        (specifier,) = one.specifier
        found.setdefault(canonicalize_name(one.name), []).append(Version(specifier.version))
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_has_one_version_and_hashes(lock: Path) -> None:
    exact = re.compile(r"[a-z0-9-]+==[\w.]+( ; [^#@]+?)?( --hash=sha256:[0-9a-f]{64})+")

    assert blocks(lock)
    assert [block[:80] for block in blocks(lock) if not exact.fullmatch(block)] == []
    assert "://" not in lock.read_text()


@pytest.mark.parametrize(
    ("lock", "groups"),
    [
        (RUNTIME, ["runtime"]),
        (LIVE, ["runtime", "live"]),
        (BUILD, ["build"]),
        (DEV, ["runtime", "live", "dev", "build"]),
        (LOWEST, ["runtime", "live", "dev", "build"]),
        (DOWNLOADS, ["downloads"]),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_a_lock_fits_the_ranges(lock: Path, groups: Sequence[str]) -> None:
    locked = versions(lock)

    for one in direct(*groups):
        found = locked.get(canonicalize_name(one.name), [])
        assert found, f"{one.name} is not in {lock.name}: {STALE}"
        assert [version for version in found if version not in one.specifier] == [], STALE


@pytest.mark.parametrize("lock", [RUNTIME, LIVE, BUILD], ids=lambda lock: lock.name)
def test_one_package_has_the_same_version_everywhere(lock: Path) -> None:
    assert {block for block in blocks(lock) if block not in blocks(DEV)} == set(), STALE


def test_the_lowest_version_of_a_range_is_the_one_that_is_tested() -> None:
    def floors() -> Iterator[tuple[str, Version]]:
        for one in direct("runtime", "live", "dev", "build"):
            (specifier,) = [part for part in one.specifier if part.operator == ">="]
            yield canonicalize_name(one.name), Version(specifier.version)

    locked = versions(LOWEST)
    wrong = [
        f"{name} from {floor}, tested with {min(locked[name])}"
        for name, floor in floors()
        if min(locked[name]).release[: len(floor.release)] != floor.release
    ]

    assert wrong == [], f"raise these floors, or {STALE}"


def test_the_build_backend_is_locked_in_the_range_of_the_build_system() -> None:
    build = {one.name: one.specifier for one in direct("build")}

    assert [Requirement(one).specifier for one in PROJECT["build-system"]["requires"]] == [build["hatchling"]]


def test_the_hooks_have_the_versions_of_the_lock() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    locked = [block.split(" --hash=")[0] for block in blocks(RUNTIME)]

    assert [hook["id"] for hook in hooks if hook["additional_dependencies"] != locked] == [], STALE


def test_the_job_for_gitlab_has_this_version_and_the_pip_of_the_lock() -> None:
    head, job = (ROOT / "ci/gitlab.yml").read_text().split("\n---\n")
    (pip,) = [block for block in blocks(BUILD) if block.startswith("pip==")]

    assert yaml.safe_load(head)["spec"]["inputs"]["requirement"]["default"] == f"meshc=={__version__}", STALE
    assert f'MESHC_PIP: "{pip}"' in job, STALE

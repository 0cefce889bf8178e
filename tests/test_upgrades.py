"""A new meshc beside the last release: what it compiles, and what it says of the trees that the other one wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.version import Version

from changelog import sections
from meshc import __version__
from record import compiled_again, newest, trees_of
from support.paths import ROOT
from support.tools import find_tool

pytestmark = pytest.mark.thorough

RECORD = newest()
ADVICE = """
These files are compiled otherwise than by {last}: {files}
Name them in CHANGELOG.md under "### Changed output", in the section that is unreleased:
  * `output/*/istio-remote.yaml`: what changed, and why
Or, while {last} is unreleased itself, make its record anew: python release/record.py"""


def test_the_output_of_the_last_release_stays_or_the_changelog_names_the_change() -> None:
    find_tool("kubectl")
    last = Version(RECORD.name)
    newer = [one for one in sections((ROOT / "CHANGELOG.md").read_text()) if one.version > last or not one.released]
    patterns = {pattern for section in newer for pattern in section.changed_output()}

    now, then = compiled_again(RECORD), trees_of(RECORD)
    changed = {
        (mesh, path)
        for mesh in then
        for path in {*then[mesh], *now[mesh]}
        if then[mesh].get(path) != now[mesh].get(path)
    }
    unnamed = sorted(f"{mesh}: {path}" for mesh, path in changed if not any(fnmatch(path, one) for one in patterns))
    idle = [one for one in patterns if not any(fnmatch(path, one) for _, path in changed)]

    assert unnamed == [], ADVICE.format(last=last, files=", ".join(unnamed))
    assert idle == [], "CHANGELOG.md names changes of output that no recorded mesh shows"


def test_the_record_has_trees_for_each_of_its_meshes() -> None:
    folders = {path.name for path in RECORD.iterdir() if path.is_dir()}

    assert set(trees_of(RECORD)) == folders
    assert {mesh for mesh, files in trees_of(RECORD).items() if "output/" not in "".join(files)} == set()
    assert Version(RECORD.name) <= Version(__version__)


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A mesh whose trees an older meshc wrote."""
    find_tool("kubectl")
    (tmp_path / ".git").mkdir()
    meshc(tmp_path, "init", ".")
    meshc(tmp_path, "compile")
    versions = tmp_path / "output/_meshc.yaml"
    versions.write_text(versions.read_text().replace(f"meshc: {__version__}", "meshc: 0.0.1"))
    return tmp_path


def meshc(folder: Path, *words: str, code: int = 0) -> str:
    """What is told, on both streams."""
    done = subprocess.run(
        [sys.executable, "-m", "meshc", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_trees_of_an_older_meshc_are_in_step_while_their_bytes_are_the_same(older: Path) -> None:
    assert meshc(older, "check").startswith("up to date")
    assert "unchanged" in meshc(older, "compile")
    assert "meshc: 0.0.1" in (older / "output/_meshc.yaml").read_text()


def test_check_tells_an_older_tree_from_a_stale_one(older: Path) -> None:
    (file,) = older.glob("output/edge-1/istio-remote.yaml")
    file.write_bytes(file.read_bytes().replace(b"istio-system", b"istio-elsewhere"))

    told = meshc(older, "check", code=1)
    assert "written by another version: output/edge-1/istio-remote.yaml" in told
    assert f"the files were written by meshc 0.0.1, and this is meshc {__version__}" in told
    listed = json.loads(meshc(older, "check", "--format", "json", code=1).partition("\n}\n")[0] + "\n}")
    assert [(one["file"], one["state"]) for one in listed["stale"]] == [
        ("output/edge-1/istio-remote.yaml", "written by another version")
    ]

    meshc(older, "compile")
    assert f"meshc: {__version__}" in (older / "output/_meshc.yaml").read_text()
    assert meshc(older, "check").startswith("up to date")
    file.write_bytes(file.read_bytes().replace(b"istio-system", b"istio-elsewhere"))
    told = meshc(older, "check", code=1)
    assert "edited by hand: output/edge-1/istio-remote.yaml" in told
    assert "written by" not in told

"""Records what this meshc compiles, for later versions to compare with: python release/record.py

tests/releases/<version>/ holds one folder for each mesh with its input, and trees.json with the digest of every file
that is compiled from it. Only the newest record is kept.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from packaging.version import Version

from meshc import __version__

ROOT = Path(__file__).parent.parent
RELEASES = ROOT / "tests/releases"
TREES = "trees.json"
CASES = ("ambient-in-two-networks", "delivery-by-argo-cd", "exposure-by-gateway", "external-control-plane")
GENERATED = ("overlays", "output", ".meshc", "expected", "commands", "README.md")
VERSIONS = "output/_meshc.yaml"
"""The one file that differs between versions by its nature."""

Trees = Mapping[str, Mapping[str, str]]
"""For each mesh: the path of every compiled file, and its digest."""


def sources() -> dict[str, list[Path]]:
    """The files and folders that each recorded mesh consists of."""
    sample = [ROOT / name for name in ("mesh.yaml", "apps", "certificates", "extra", "patches", "sealed")]
    found = {"bookstore": sample, "classic": sorted((ROOT / "examples/classic").iterdir())}
    for name in CASES:
        (case,) = (path.parent for path in (ROOT / "tests/cases").glob(f"**/{name}/mesh.yaml"))
        found[name] = sorted(case.iterdir())
    return {mesh: [path for path in paths if path.name not in GENERATED] for mesh, paths in found.items()}


def newest() -> Path:
    """The folder of the record that is kept."""
    return max((path for path in RELEASES.iterdir() if path.is_dir()), key=lambda path: Version(path.name))


def compiled(inputs: Path) -> dict[str, str]:
    """The digests of what this meshc compiles from a mesh. Raises CalledProcessError if it doesn't compile."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder, "mesh")
        shutil.copytree(inputs, work)
        (work / ".git").mkdir()
        command = [sys.executable, "-m", "meshc", "compile", "--no-cache"]
        subprocess.run(command, cwd=work, check=True, capture_output=True)
        files = [path for tree in ("overlays", "output") for path in sorted((work / tree).rglob("*")) if path.is_file()]
        digests = {path.relative_to(work).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}
    return {path: digest for path, digest in digests.items() if path != VERSIONS}


def compiled_again(record: Path) -> Trees:
    """What this meshc compiles from the inputs of a record."""
    return {mesh.name: compiled(mesh) for mesh in sorted(record.iterdir()) if mesh.is_dir()}


def trees_of(record: Path) -> Trees:
    """What the version of a record compiled."""
    trees: Trees = json.loads((record / TREES).read_text())
    return trees


def write() -> None:
    """Puts the record of this version in the place of every other."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder)
        for mesh, paths in sources().items():
            (record / mesh).mkdir()
            for path in paths:
                (shutil.copytree if path.is_dir() else shutil.copy)(path, record / mesh / path.name)
        trees = json.dumps(compiled_again(record), indent=1, sort_keys=True)
        (record / TREES).write_text(trees + "\n")
        shutil.rmtree(RELEASES, ignore_errors=True)
        shutil.copytree(record, RELEASES / __version__)


if __name__ == "__main__":
    write()

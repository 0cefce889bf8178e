"""What is released can be built, installed and used: the source release, the wheel made from it, and its pins."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import pytest

from long_description import long_description
from meshc import __version__
from support.paths import ROOT
from support.tools import find_tool, need_time

pytestmark = pytest.mark.thorough

SOURCE = f"meshc-{__version__}.tar.gz"
WHEEL = f"meshc-{__version__}-py3-none-any.whl"


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """What a program prints. The environment has nothing that leads Python into the repository."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def build(source: Path, target: str, folder: Path) -> Path:
    """Builds an sdist or a wheel with the pinned backend. Another umask and clock must not change a byte."""
    run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder, cwd=source)
    return folder / (SOURCE if target == "sdist" else WHEEL)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of the repository, its text, and the wheel that is built from it."""
    need_time("building and installing a distribution")
    folder = tmp_path_factory.mktemp("dist")
    with tarfile.open(build(ROOT, "sdist", folder)) as archive:
        archive.extractall(folder, filter="data")
    build(folder / f"meshc-{__version__}", "wheel", folder)
    return folder


def test_the_source_release_holds_what_a_build_needs(built: Path) -> None:
    with tarfile.open(built / SOURCE) as archive:
        members = archive.getmembers()
    names = {member.name.removeprefix(f"meshc-{__version__}/") for member in members}
    package = {f"compiler/meshc/{path}" for path in package_files()}

    assert [member.name for member in members if not member.isfile()] == []
    others = {"README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "release/long_description.py"}
    assert names - package == others | {"PKG-INFO", ".gitignore"}
    assert package - names == set()


def test_the_wheel_holds_the_package_and_its_pins(built: Path) -> None:
    with zipfile.ZipFile(built / WHEEL) as archive:
        names = {name for name in archive.namelist() if not name.startswith(f"meshc-{__version__}.dist-info/")}
        pins = archive.read("meshc/requirements.txt")

    assert names == {f"meshc/{path}" for path in package_files()}
    assert pins == (ROOT / "compiler/meshc/requirements.txt").read_bytes()


def test_no_link_of_the_long_description_is_dead(built: Path, tmp_path: Path) -> None:
    """Nothing beside it is there where a package index shows it."""
    with zipfile.ZipFile(built / WHEEL) as archive:
        metadata = archive.read(f"meshc-{__version__}.dist-info/METADATA").decode()

    assert "Description-Content-Type: text/markdown" in metadata
    assert "## Thirty seconds of terminal" in metadata
    assert dead_links(metadata) == []


def dead_links(text: str) -> list[str]:
    return [found for found in re.findall(r"\]\(([^()\s]+)\)", text) if not found.startswith(("https://", "#"))]


def test_links_lead_to_the_repository_where_the_project_has_one() -> None:
    readme = (ROOT / "README.md").read_text()
    told = long_description(readme, "https://git.example.com/meshc", "v1.2.3")

    assert "![a](https://git.example.com/meshc/raw/v1.2.3/i.svg)" in long_description(
        "![a](i.svg)", "https://git.example.com/meshc", "v1.2.3"
    )
    assert "](https://git.example.com/meshc/blob/v1.2.3/docs/tutorial.md)" in told
    assert "](https://git.example.com/meshc/raw/v1.2.3/docs/images/overview.svg)" in told
    assert dead_links(told) == []
    assert long_description("[a](b) [c](#d)\n```\n[e](f)\n```", "", "") == "a [c](#d)\n```\n[e](f)\n```"


def package_files() -> Iterable[str]:
    """The files of the package, as Git knows them or would add them."""
    listed = run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT / "compiler/meshc").splitlines()
    return [path for path in listed if (ROOT / "compiler/meshc" / path).exists()]


def test_two_builds_are_equal_byte_for_byte(built: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "compiler", tmp_path / "copy/compiler")
    (tmp_path / "copy/release").mkdir()
    for name in ("README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", ".gitignore", "release/long_description.py"):
        shutil.copy(ROOT / name, tmp_path / "copy" / name)
    for path in (tmp_path / "copy/compiler").rglob("*"):
        path.chmod(0o777 if path.is_dir() else 0o600)
        os.utime(path, (1, 1))
    again = {name: build(tmp_path / "copy", name, tmp_path) for name in ("sdist", "wheel")}

    assert digest(again["sdist"]) == digest(built / SOURCE)
    assert digest(again["wheel"]) == digest(built / WHEEL)


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("released", [SOURCE, WHEEL], ids=["sdist", "wheel"])
def test_what_is_released_works_in_an_empty_environment(built: Path, tmp_path: Path, released: str) -> None:
    environment = new_environment(tmp_path)
    install(environment, "--require-hashes", "--requirements", ROOT / "compiler/meshc/requirements.txt")
    install(environment, "--no-deps", "--build-constraints", ROOT / "requirements/build.txt", built / released)

    a_mesh_is_made(environment / "bin", tmp_path)


def test_the_extra_live_brings_the_client_of_clusters(built: Path, tmp_path: Path) -> None:
    environment = new_environment(tmp_path)
    install(environment, "--require-hashes", "--requirements", ROOT / "requirements/live.txt")
    install(environment, "--offline", "--constraints", ROOT / "requirements/live.txt", f"{built / WHEEL}[live]")

    assert "CLUSTER" in run(environment / "bin/meshc", "doctor", "--help", cwd=tmp_path)
    run(environment / "bin/python", "-I", "-c", "import meshc.capture.ask", cwd=tmp_path)


def new_environment(folder: Path) -> Path:
    """An empty one, outside the repository."""
    run(find_tool("uv"), "venv", "--quiet", "--python", sys.executable, folder / "environment", cwd=folder)
    return folder / "environment"


def install(environment: Path, *what: str | Path) -> None:
    python = environment / "bin/python"
    run(find_tool("uv"), "pip", "install", "--quiet", "--python", python, *what, cwd=environment)


def a_mesh_is_made(programs: Path, folder: Path) -> None:
    """A first mesh is started, compiled and checked, with nothing of the repository's on PATH."""
    mesh, path = folder / "mesh", f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin"
    mesh.mkdir()
    run(programs / "meshc", "init", ".", cwd=mesh, PATH=path)
    run(programs / "meshc", "compile", cwd=mesh, PATH=path)

    assert run(programs / "meshc", "--version", cwd=mesh, PATH=path).split()[-1] == __version__
    assert run(programs / "meshc", "check", cwd=mesh, PATH=path).startswith("up to date")

"""The scripts of action.yml and of the job for GitLab install exactly what is pinned, with the real pip."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from meshc import __version__
from support.paths import ROOT
from support.tools import need_time

pytestmark = pytest.mark.thorough

RUNTIME = ROOT / "compiler/meshc/requirements.txt"
BUILD = ROOT / "requirements/build.txt"
LONG = os.environ.get("MESHC_TEST_LONG") == "1"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This version's wheel, in a folder where pip finds it as if it were released."""
    folder = tmp_path_factory.mktemp("released")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def script(shell: str, text: str, code: int = 0, /, **variables: str) -> str:
    """What a script prints. Byte code is left out: it takes a third of the time, and nothing here needs it."""
    done = subprocess.run(
        [shell, "-e", "-c", text],
        env={**os.environ, "PIP_NO_COMPILE": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def action(temporary: Path, code: int = 0, /, **variables: str) -> str:
    """Runs the step that installs."""
    steps = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    (step,) = [step for step in steps if step["id"] == "install"]
    given = {"PYTHON": sys.executable, "SOURCE": str(ROOT), "VERSION": "", "SHA256": "", "FAIL_ON": ""}
    assert given.keys() == step["env"].keys()
    return script("bash", step["run"], code, RUNNER_TEMP=str(temporary), **given | variables)


def installed(environment: Path) -> Mapping[str, str]:
    """The packages of an environment, but for those that Python's own venv puts there."""
    command = [str(environment / "bin/python"), "-I", "-m", "pip", "list", "--format", "json"]
    listed: list[dict[str, Any]] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {
        re.sub(r"[-_.]+", "-", one["name"].lower()): one["version"] for one in listed if one["name"] != "setuptools"
    }


def locked(*locks: Path) -> Mapping[str, str]:
    """What lock files say for this machine."""
    lines = [line.split(" \\")[0] for lock in locks for line in lock.read_text().splitlines()]
    found = [Requirement(line) for line in lines if re.match("[a-z0-9]", line)]
    return {one.name: str(one.specifier)[2:] for one in found if one.marker is None or one.marker.evaluate()}


def test_the_action_installs_itself_and_what_it_pins(tmp_path: Path) -> None:
    need_time("an environment made by pip")
    assert action(tmp_path).splitlines()[-1] == f"meshc {__version__}"
    assert installed(tmp_path / "meshc") == {**locked(BUILD, RUNTIME), "meshc": __version__}


@pytest.mark.skipif(not LONG, reason="MESHC_TEST_LONG=1: the job for GitLab does the same with its wheel")
def test_the_action_installs_another_release_with_the_pins_of_its_wheel(wheel: Path, tmp_path: Path) -> None:
    digest = sha256(wheel.read_bytes()).hexdigest()
    given = {"VERSION": __version__, "SHA256": digest, "PIP_FIND_LINKS": str(wheel.parent)}

    assert action(tmp_path, **given).splitlines()[-1] == f"meshc {__version__}"
    assert installed(tmp_path / "meshc") == {**locked(BUILD, RUNTIME), "meshc": __version__}


@pytest.mark.skipif(not LONG, reason="MESHC_TEST_LONG=1: it installs pip and the build backend first")
def test_the_action_takes_no_other_wheel_than_the_one_of_the_digest(wheel: Path, tmp_path: Path) -> None:
    given = {"VERSION": __version__, "SHA256": "0" * 64, "PIP_FIND_LINKS": str(wheel.parent)}

    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in action(tmp_path, 1, **given)


def test_the_digest_of_a_wheel_is_a_digest_and_has_a_version(tmp_path: Path) -> None:
    assert "sha256 needs 64 digits" in action(tmp_path, 2, VERSION=__version__, SHA256="$(touch it-ran)")
    assert "sha256 needs 64 digits" in action(tmp_path, 2, SHA256="0" * 64)


def test_the_job_for_gitlab_installs_what_its_wheel_pins(wheel: Path, tmp_path: Path) -> None:
    need_time("a second environment made by pip")
    head, text = (ROOT / "ci/gitlab.yml").read_text().split("\n---\n")
    requirement = yaml.safe_load(head)["spec"]["inputs"]["requirement"]["default"]
    job = yaml.safe_load(re.sub(r"\$\[\[ inputs\.job \]\]", "meshc", text))["meshc"]
    commands = "\n".join(job["before_script"]).replace("/opt/meshc", str(tmp_path / "meshc"))
    (tmp_path / "python").symlink_to(sys.executable)
    given = {
        "MESHC_PIP": job["variables"]["MESHC_PIP"],
        "MESHC_REQUIREMENT": f"{requirement} --hash=sha256:{sha256(wheel.read_bytes()).hexdigest()}",
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PIP_FIND_LINKS": str(wheel.parent),
    }

    assert script("sh", f"{commands}\nmeshc --version", **given).splitlines()[-1] == f"meshc {__version__}"
    expected = {**locked(RUNTIME), "pip": locked(BUILD)["pip"], "meshc": __version__}
    assert installed(tmp_path / "meshc") == expected

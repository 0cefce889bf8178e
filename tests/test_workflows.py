"""The workflows of this repository and of docs/ci.md: correct for actionlint, pinned, and with few permissions."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.go_tool import run_go_tool
from support.paths import ROOT

pytestmark = pytest.mark.thorough

FOLDER = ROOT / ".github/workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
OPTIONS = ("-no-color", "-shellcheck=", "-pyflakes=")
"""The same answer on every machine, whether these two are installed or not."""


def loaded(workflow: Path) -> dict[str, Any]:
    """As a mapping of texts: YAML 1.1 would read the key `on` as true."""
    content: dict[str, Any] = yaml.load(workflow.read_text(), Loader=yaml.BaseLoader)
    return content


def steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in loaded(workflow)["jobs"].values() for step in job["steps"]]


def test_actionlint_finds_nothing() -> None:
    found = run_go_tool("actionlint", *OPTIONS, *map(str, WORKFLOWS))

    assert found.stdout + found.stderr == ""
    assert len(WORKFLOWS) == 2


def test_actionlint_finds_nothing_in_the_workflow_of_the_documentation() -> None:
    page = (ROOT / "docs/ci.md").read_text()
    (example,) = re.findall(r"```yaml\n(# \.github/workflows/.*?)```", page, re.DOTALL)

    found = run_go_tool("actionlint", *OPTIONS, "-", stdin=example)

    assert found.stdout + found.stderr == ""


def test_actionlint_finds_a_mistake() -> None:
    wrong = WORKFLOWS[0].read_text().replace("matrix.python", "matrix.pyton")

    found = run_go_tool("actionlint", *OPTIONS, "-", stdin=wrong)

    assert found.returncode != 0
    assert 'property "pyton" is not defined' in found.stdout


@pytest.mark.parametrize("file", [*WORKFLOWS, ROOT / "action.yml"], ids=lambda file: file.name)
def test_every_action_is_pinned_by_its_commit(file: Path) -> None:
    used = [line.strip().removeprefix("- ") for line in file.read_text().splitlines() if "uses:" in line]

    assert used
    assert [line for line in used if not PINNED.fullmatch(line)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_may_read_and_nothing_else(workflow: Path) -> None:
    content = loaded(workflow)
    checkouts = [step for step in steps(workflow) if step.get("uses", "").startswith("actions/checkout@")]

    assert content["permissions"] == {"contents": "read"}
    assert not [name for name, job in content["jobs"].items() if "permissions" in job]
    assert "pull_request_target" not in content["on"]
    assert [step["with"]["persist-credentials"] for step in checkouts] == ["false"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_a_run_is_bounded_and_replaced_by_a_newer_one(workflow: Path) -> None:
    content = loaded(workflow)

    assert content["concurrency"]["cancel-in-progress"] == "true"
    assert [name for name, job in content["jobs"].items() if not 0 < int(job["timeout-minutes"]) <= 60] == []


def test_the_matrix_has_every_python_that_meshc_is_said_to_run_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    matrix = loaded(FOLDER / "test.yml")["jobs"]["test"]["strategy"]["matrix"]

    assert named
    assert set(named) <= set(matrix["python"])
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos"}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_a_script_gets_what_comes_from_outside_as_a_variable(workflow: Path) -> None:
    assert [step["run"] for step in steps(workflow) if "${{" in step.get("run", "")] == []

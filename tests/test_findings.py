"""What code hosts and CI systems read: the same findings as SARIF, JUnit's XML and GitLab's report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from meshc.cli.findings import WRITERS, findings
from meshc.codes import every_code
from support.processes import Run, meshc
from support.tools import find_tool

MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: shop}
spec:
  istio: {version: 1.29.6}
  security: {ca: {type: self-signed}}
  clusters:
    - {name: hub, role: primary, kubernetesVersion: "1.34", podCIDRs: [10.1.0.0/16]}
"""


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    """A repository whose mesh.yaml is in a folder."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "prod").mkdir()
    (tmp_path / "prod/mesh.yaml").write_text(MESH)
    return tmp_path


def seen(cwd: Path, *words: str) -> tuple[Run, dict[str, list[tuple[str, str, int]]]]:
    """The last run, and of each format what it holds: rule, file and line."""
    found: dict[str, list[tuple[str, str, int]]] = {}
    for form in WRITERS:
        done = meshc(*words, "-f", "prod/mesh.yaml", "--format", form, cwd=cwd)
        found[form] = READ[form](done.stdout)
    return done, found


def of_sarif(text: str) -> list[tuple[str, str, int]]:
    (run,) = json.loads(text)["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    found = []
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        found.append((result["ruleId"], place["artifactLocation"]["uri"], place.get("region", {}).get("startLine", 0)))
    return found


def of_junit(text: str) -> list[tuple[str, str, int]]:
    suites = ElementTree.fromstring(text)
    cases = suites.findall("testsuite/testcase")
    assert int(suites.get("tests", "")) == len(cases)
    assert int(suites.get("failures", "")) == len(suites.findall("testsuite/testcase/failure"))
    found = []
    for case in cases:
        rule, _, where = case.get("name", "").partition(" ")
        file, _, line = where.partition(":")
        if case.get("file"):
            assert file == case.get("file")
            found.append((rule, file, int(line or 0)))
    return found


def of_gitlab(text: str) -> list[tuple[str, str, int]]:
    return [(one["check_name"], one["location"]["path"], one["location"]["lines"]["begin"]) for one in json.loads(text)]


READ = {"sarif": of_sarif, "junit": of_junit, "gitlab": of_gitlab}


def test_a_mesh_without_a_finding(mesh: Path) -> None:
    done, found = seen(mesh, "validate")

    assert done.returncode == 0
    assert found == {"sarif": [], "junit": [], "gitlab": []}


def test_problems_stand_at_their_lines(mesh: Path) -> None:
    (mesh / "prod/mesh.yaml").write_text(MESH.replace("role: primary", "role: primry"))
    done, found = seen(mesh, "validate")

    assert done.returncode == 3
    assert set(map(tuple, found.values())) == {(("MESH104", "prod/mesh.yaml", 8),)}


def test_files_out_of_step_and_dangers(mesh: Path) -> None:
    find_tool("kubectl")
    assert meshc("compile", "-f", "prod/mesh.yaml", cwd=mesh).returncode == 0
    with (mesh / "prod/output/hub/namespaces.yaml").open("a") as namespaces:
        namespaces.write("# edited\n")
    done, found = seen(mesh, "check")

    assert done.returncode == 1
    assert found["sarif"] == [("out-of-step", "prod/output/hub/namespaces.yaml", 0)]
    assert found["gitlab"] == [("out-of-step", "prod/output/hub/namespaces.yaml", 1)]

    (mesh / "prod/mesh.yaml").write_text(MESH.replace("security: {", "security: {mutualTLS: permissive, "))
    done, found = seen(mesh, "diff", "--against", "prod")

    assert done.returncode == 1
    assert [one[:2] for one in found["junit"]] == [("MESH805", "prod/mesh.yaml")]


def test_a_command_that_fails_is_a_finding(mesh: Path) -> None:
    (mesh / "prod/mesh.yaml").unlink()
    done, found = seen(mesh, "compile")

    assert done.returncode == 2
    assert [one[:2] for one in found["sarif"]] == [("command-failed", "prod/mesh.yaml")]


@pytest.mark.parametrize("form", sorted(WRITERS))
def test_every_code_and_hostile_text(form: str) -> None:
    """Names and values of a branch stay text; each code is a rule of its own."""
    odd = 'a\x00\x1b[31m]]></failure> \u202e & "quoted" %0A::error::'
    problems = [problem(code, odd) for code in every_code()]
    document = {"command": "validate", "error": "", "hint": "", "problems": problems}
    text = WRITERS[form](document, list(findings(document, "mesh.yaml", lambda file: file)))

    assert [one[0] for one in READ[form](text)] == list(every_code())
    assert "\x1b" not in text
    assert "\u202e" not in text


def problem(code: str, what: str) -> Mapping[str, Any]:
    severity = str(every_code()[code].severity)
    where = {"file": "mesh.yaml", "line": 3, "column": 1}
    return {"code": code, "severity": severity, **where, "what": what, "hint": what, "fix": None}


@pytest.mark.parametrize("form", sorted(WRITERS))
def test_a_file_whose_name_is_no_text(form: str) -> None:
    """Such a name can come from a folder above the repository."""
    document = {"command": "validate", "error": "", "hint": "", "problems": [problem("MESH104", "x")]}
    found = list(findings(document, "mesh.yaml", lambda file: f"a\udc80 b/{file}"))

    assert WRITERS[form](document, found).encode(errors="backslashreplace")


def test_a_fingerprint_stays_when_the_line_moves() -> None:
    here, there = ({**problem("MESH104", "x"), "line": line} for line in (3, 30))
    documents = ({"command": "validate", "error": "", "hint": "", "problems": [one]} for one in (here, there))
    first, second = (next(findings(one, "mesh.yaml", lambda file: file)) for one in documents)

    assert first.fingerprint == second.fingerprint
    assert first.line != second.line

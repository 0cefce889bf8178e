"""Rules that the tests themselves keep."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cases import CASES
from support.paths import ROOT, TESTS


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_no_module_imports_from_a_test_module() -> None:
    """What two of them need stands in tests/support/."""
    files = [*TESTS.glob("*.py"), *TESTS.glob("support/*.py")]
    found = {file.name: [name for name in imported(file) if name.startswith(("test_", "conftest"))] for file in files}

    assert len(found) > 60
    assert {name: modules for name, modules in found.items() if modules} == {}


def test_no_two_cases_have_one_name() -> None:
    """Other tests name a case without its area."""
    names = [case.name for case in CASES]

    assert sorted(names) == sorted(set(names))


@pytest.mark.thorough
@pytest.mark.parametrize(("ci", "code"), [("true", pytest.ExitCode.USAGE_ERROR), ("", pytest.ExitCode.OK)])
def test_expectations_are_not_rewritten_in_ci(ci: str, code: pytest.ExitCode) -> None:
    argv = [sys.executable, "-m", "pytest", "--update", "--collect-only", "-q", "tests/test_edit.py"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "CI": ci}, check=False)

    assert done.returncode == code, done.stdout + done.stderr
    assert ("--update rewrites what the cases expect, and this is CI" in done.stderr) == bool(ci)


def test_no_exception_holds_its_hint_in_its_text() -> None:
    """What and hint are two fields of every exception: JSON has them apart."""
    raised = [
        (file.name, node.lineno, argument)
        for file in (ROOT / "compiler").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Error")
        for argument in map(ast.unparse, node.args)
    ]

    assert len(raised) > 300
    assert [one for one in raised if "hint: " in one[2]] == []

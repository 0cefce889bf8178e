"""Every folder below cases/ is one test: its input is copied, commands run, all that they say and write is compared.

`pytest --update` rewrites what is expected.

A case holds an input (mesh.yaml and what it names), optionally `commands` (a line each, default `compile`), and what is
expected: `expected/<n>.stdout`, `expected/<n>.stderr` (absent when empty), `expected/exit` (a code a line), and
`expected/tree/` (overlays/ and output/ after the last command, absent when nothing was written).
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from conftest import TESTS, find_tool
from meshc.cli.main import app
from meshc.codes import every_code
from meshc.output.trees import VERSIONS

CASES = sorted(folder for folder in (TESTS / "cases").iterdir() if folder.is_dir())
Files = dict[str, bytes]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path, tmp_path: Path, update: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    find_tool("kubectl")
    work = tmp_path / "work"
    shutil.copytree(case, work, ignore=shutil.ignore_patterns("expected", "commands", ".meshc"), symlinks=True)
    (work / ".git").mkdir()  # the case is its own repository
    before = read(work)
    monkeypatch.chdir(work)
    monkeypatch.setenv("NO_COLOR", "1")

    actual = run(case, work)
    after = read(work)

    changed = {path: data for path, data in after.items() if not path.startswith(".meshc/")}
    trees = {
        f"tree/{path}": data
        for path, data in changed.items()
        if path.startswith(("overlays/", "output/")) and path != VERSIONS
    }
    assert before == {
        path: data
        for path, data in changed.items()
        if path != VERSIONS and (path in before or f"tree/{path}" not in trees)
    }
    actual |= {path: data for path, data in trees.items() if before.get(path.removeprefix("tree/")) != data}
    if update:
        rewrite(case / "expected", actual)
    assert read(case / "expected") == actual


def run(case: Path, work: Path) -> Files:
    said: Files = {}
    codes = []
    commands = case / "commands"
    lines = commands.read_text().splitlines() if commands.exists() else ["compile"]
    for number, line in enumerate(lines, 1):
        result = CliRunner().invoke(app, shlex.split(line), catch_exceptions=False)
        codes.append(f"{result.exit_code}\n")
        for name, text in (("stdout", result.stdout), ("stderr", result.stderr)):
            if text:
                said[f"{number}.{name}"] = re.sub(r"kustomize \d+\.\d+\.\d+", "kustomize VERSION", text).encode()
    return {**said, "exit": "".join(codes).encode()}


def read(folder: Path) -> Files:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and ".git/" not in f"{p}"
    }


def rewrite(folder: Path, files: Files) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


ELSEWHERE = {"MESH009", "MESH428"}  # a file of megabytes isn't committed: test_yamltext.py makes one


def test_every_code_has_a_case() -> None:
    said = "".join(path.read_text() for case in CASES for path in case.glob("expected/*.std*"))

    assert [code for code in every_code() if code not in said and code not in ELSEWHERE] == []

"""Every folder below cases/ is one test: its input is copied, commands run, all that they say and write is compared.

`pytest --update` rewrites what is expected.

A case holds an input (mesh.yaml and what it names), optionally `commands` (a line each, default `compile`), and what is
expected: `expected/<n>.stdout`, `expected/<n>.stderr` (absent when empty), `expected/exit` (a code a line), and
`expected/tree/` (overlays/ and output/ after the last command, absent when nothing was written).

A case that compares with a commit has a folder `before/`: its files in place of the case's own, compiled, are what the
one commit of its repository, `base`, holds.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from conftest import TESTS, find_helm, find_tool
from meshc.cli.main import app
from meshc.codes import every_code
from meshc.output.trees import VERSIONS

CASES = sorted(folder for folder in (TESTS / "cases").iterdir() if folder.is_dir())
Files = dict[str, bytes]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path, tmp_path: Path, update: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    find_tool("kubectl")
    if (case / "vendor").is_dir():
        find_helm()
    work = tmp_path / "work"
    monkeypatch.setenv("NO_COLOR", "1")
    work.mkdir()
    monkeypatch.chdir(work)
    if (case / "before").is_dir():
        commit_before(case, work)
    else:
        (work / ".git").mkdir()  # the case is its own repository
    shutil.copytree(case, work, ignore=LEFT_OUT, symlinks=True, dirs_exist_ok=True)
    before = {path: data for path, data in read(work).items() if path != VERSIONS}

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


RENDERED = ("charts-of-classic", "charts-of-istiod", "chart-gateway-without-its-schema", "chart-that-helm-refuses")


@pytest.mark.parametrize("name", RENDERED)
def test_helm_3_says_and_makes_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cases are those of helm 4."""
    monkeypatch.setenv("MESHC_HELM", find_tool("helm3"))
    test_case(TESTS / "cases" / name, tmp_path, update=False, monkeypatch=monkeypatch)


LEFT_OUT = shutil.ignore_patterns("expected", "commands", "before", ".meshc")


def commit_before(case: Path, work: Path) -> None:
    """The case with the files of before/, compiled and committed; then the work tree is empty but for the output."""
    shutil.copytree(case, work, ignore=LEFT_OUT, symlinks=True, dirs_exist_ok=True)
    shutil.copytree(case / "before", work, dirs_exist_ok=True)
    for words in ("init -q", "add -A", "commit -qm base", "branch base"):
        if words == "add -A":
            compiled = CliRunner().invoke(app, ["compile"], catch_exceptions=False)
            assert compiled.exit_code == 0, compiled.stderr
            shutil.rmtree(work / ".meshc", ignore_errors=True)
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words.split()]
        subprocess.run(git, cwd=work, check=True, capture_output=True)
    for path in work.iterdir():
        if path.name not in (".git", "overlays", "output"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


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

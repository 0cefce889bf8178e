"""Each folder cases/<area>/<name>/ is one test: its input is copied, its commands run, all that they say and write is
compared.

`pytest --update` rewrites what is expected.

A case holds an input (mesh.yaml and what it names), optionally `commands` (a line each, default `compile`), and what is
expected: `expected/<n>.stdout`, `expected/<n>.stderr` (absent when empty), `expected/exit` (a code a line), and
`expected/tree/` (overlays/ and output/ after the last command, absent when nothing was written). support/cases.py tells
how both trees are kept.

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

from meshc.codes import every_code
from meshc.output.trees import VERSIONS
from support.cases import CASES, ELSEWHERE, Files, expected_trees, find_case, folded, id_of, read, unfolded
from support.commands import invoke
from support.tools import find_helm, find_tool

TREES = ("overlays/", "output/")


@pytest.mark.parametrize("case", CASES, ids=id_of)
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

    said = run(case, work)
    after = {path: data for path, data in read(work).items() if not path.startswith(".meshc/") and path != VERSIONS}

    trees = {path: data for path, data in after.items() if path.startswith(TREES)}
    assert before == {path: data for path, data in after.items() if path in before or path not in trees}
    written = {path: data for path, data in trees.items() if before.get(path) != data}
    if update:
        rewrite(case / "expected", {**said, **{f"tree/{path}": data for path, data in folded(written).items()}})
    assert words_of(case) == said
    assert expected_trees(case) == written


def words_of(case: Path) -> dict[str, bytes]:
    """What a case expects besides its trees."""
    return {path: data for path, data in read(case / "expected").items() if not path.startswith("tree/")}


@pytest.mark.parametrize("case", [case for case in CASES if (case / "expected/tree").is_dir()], ids=id_of)
def test_expected_trees_are_kept_once(case: Path) -> None:
    kept = read(case / "expected/tree")

    assert kept == folded(unfolded(kept))


@pytest.mark.parametrize(
    ("trees", "kept"),
    [
        ({"overlays/hub/a.yaml": b"1", "output/hub/a.yaml": b"1"}, {"both/hub/a.yaml": b"1"}),
        ({"overlays/hub/a.yaml": b"1", "output/hub/a.yaml": b"2"}, None),
        ({"overlays/hub/a.yaml": b"1"}, None),
        ({"output/hub/a.yaml": b"1", "output/hub/b.yaml": b"1"}, None),
    ],
)
def test_a_file_is_kept_once_only_if_both_trees_hold_it(trees: Files, kept: Files | None) -> None:
    """A tree that lacks the file of the other one is told from a tree that holds it."""
    assert folded(trees) == (trees if kept is None else kept)
    assert unfolded(folded(trees)) == trees


RENDERED = ("charts-of-classic", "charts-of-istiod", "chart-gateway-without-its-schema", "chart-that-helm-refuses")


@pytest.mark.parametrize("name", RENDERED)
def test_helm_3_says_and_makes_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cases are those of helm 4."""
    monkeypatch.setenv("MESHC_HELM", find_tool("helm3"))
    test_case(find_case(name), tmp_path, update=False, monkeypatch=monkeypatch)


LEFT_OUT = shutil.ignore_patterns("expected", "commands", "before", ".meshc")


def commit_before(case: Path, work: Path) -> None:
    """The case with the files of before/, compiled and committed; then the work tree is empty but for the output."""
    shutil.copytree(case, work, ignore=LEFT_OUT, symlinks=True, dirs_exist_ok=True)
    shutil.copytree(case / "before", work, dirs_exist_ok=True)
    for words in ("init -q", "add -A", "commit -qm base", "branch base"):
        if words == "add -A":
            compiled = invoke("compile")
            assert compiled.exit_code == 0, compiled.stderr
            shutil.rmtree(work / ".meshc", ignore_errors=True)
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words.split()]
        subprocess.run(git, cwd=work, check=True, capture_output=True)
    for path in work.iterdir():
        if path.name not in (".git", "overlays", "output"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def run(case: Path, work: Path) -> dict[str, bytes]:
    """What the commands of a case say, and their exit codes."""
    said: dict[str, bytes] = {}
    codes = []
    commands = case / "commands"
    lines = commands.read_text().splitlines() if commands.exists() else ["compile"]
    for number, line in enumerate(lines, 1):
        result = invoke(*shlex.split(line))
        codes.append(f"{result.exit_code}\n")
        for name, text in (("stdout", result.stdout), ("stderr", result.stderr)):
            if text:
                said[f"{number}.{name}"] = re.sub(r"kustomize \d+\.\d+\.\d+", "kustomize VERSION", text).encode()
    return {**said, "exit": "".join(codes).encode()}


def rewrite(folder: Path, files: Files) -> None:
    """Leaves these files in a folder and no other."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def test_every_code_has_a_case() -> None:
    said = "".join(path.read_text() for case in CASES for path in case.glob("expected/*.std*"))

    assert [code for code in every_code() if code not in said and code not in ELSEWHERE] == []

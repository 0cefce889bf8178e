"""A repository of another user, as a container in CI sees the one that is mounted into it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from meshc.errors import Exit
from support.paths import ROOT
from support.processes import said
from support.tools import find_tool

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(os.getuid() != 0, reason="only root can give files to another user"),
]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    find_tool("kubectl")
    folder = tmp_path_factory.mktemp("theirs")
    subprocess.run(["git", "clone", "-q", "--depth=1", ROOT.as_uri(), str(folder)], check=True)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 12345, 12345, follow_symlinks=False)
    return folder


@pytest.mark.parametrize("words", [("diff",), ("next",), ("secrets", "scan"), ("publish", "--branch", "deploy")])
def test_it_is_told_in_the_words_of_git(theirs: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    told = said(*words, cwd=theirs, code=Exit.TOOL, HOME=str(tmp_path))

    assert f"detected dubious ownership in repository at '{theirs}'" in told
    assert f'git config --global --add safe.directory "{theirs}"' in told


def test_doctor_finds_it(theirs: Path, tmp_path: Path) -> None:
    assert "safe.directory" in said("doctor", "--local", cwd=theirs, code=Exit.TOOL, HOME=str(tmp_path))
    assert "safe.directory" not in said("doctor", "--local", cwd=ROOT, HOME=str(tmp_path))


def test_what_the_person_trusts_is_read(theirs: Path, tmp_path: Path) -> None:
    (tmp_path / ".gitconfig").write_text(f"[safe]\n\tdirectory = /elsewhere\n\tdirectory = {theirs}\n")

    assert "0 to add, 0 to change, 0 to delete" in said("diff", cwd=theirs, HOME=str(tmp_path))


def test_a_setting_that_the_repository_brings_is_not_believed(theirs: Path, tmp_path: Path) -> None:
    for file in (theirs / ".git" / "config", theirs / ".gitconfig"):
        with file.open("a") as config:
            config.write("[safe]\n\tdirectory = *\n")

    assert "safe.directory" in said("diff", cwd=theirs, code=Exit.TOOL, HOME=str(tmp_path))

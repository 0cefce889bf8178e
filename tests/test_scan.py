"""`meshc secrets scan` in a Git repository: what Git holds or would add; with --staged the index, not the folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.processes import said

pytestmark = pytest.mark.thorough

PLAIN = "apiVersion: v1\nkind: Secret\nstringData: {password: hunter2}\n"
HARMLESS = "apiVersion: v1\nkind: ConfigMap\n"
KEY = "-----BEGIN PRIVATE KEY-----\n"
NAMED = ("-c", "user.name=a", "-c", "user.email=a@example.com")


class Folder:
    """A Git repository, its files, and both programs run in it."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.git("init", "-q", ".")

    def put(self, files: dict[str, str]) -> None:
        for path, text in files.items():
            (self.base / path).parent.mkdir(parents=True, exist_ok=True)
            (self.base / path).write_text(text)

    def git(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *NAMED, *words], cwd=self.base, capture_output=True, text=True, check=words[0] != "commit"
        )

    def scan(self, *words: str, code: int, **environment: str) -> str:
        return said("secrets", "scan", *words, cwd=self.base, code=code, **environment)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_what_git_ignores_is_passed_over_unless_it_is_named(folder: Folder) -> None:
    folder.put({".gitignore": "build/\n*.key\n", "build/out.yaml": PLAIN, "mine.key": KEY, "a/harmless.yaml": HARMLESS})

    assert "in 2 files" in folder.scan(code=0)
    assert "mine.key:1:1: error MESH417" in folder.scan("mine.key", code=5)
    assert "build/out.yaml:1:1: error MESH417" in folder.scan("build", code=5)


def test_what_git_would_add_and_what_it_holds_although_it_ignores_it(folder: Folder) -> None:
    folder.put({".gitignore": "*.key\n", "forced.key": KEY, "a/new file\n.yaml": PLAIN, "gone.yaml": HARMLESS})
    folder.git("add", "--force", "forced.key", "gone.yaml")
    (folder.base / "gone.yaml").unlink()
    (folder.base / "link.yaml").symlink_to("/etc/shadow")
    said = folder.scan(code=5)

    assert "forced.key:1:1: error MESH417" in said
    assert "a/new file\\n.yaml:1:1: error MESH417" in said
    assert "2 errors" in said
    assert "new file\\n.yaml:1:1" in folder.scan("a", code=5)


def test_the_folder_is_walked_where_there_is_no_git_or_no_repository(folder: Folder, tmp_path: Path) -> None:
    folder.put({".gitignore": "*.key\n", "mine.key": KEY})

    assert "mine.key" in folder.scan(code=5, PATH="/nonexistent")
    (folder.base / ".git").rename(tmp_path / "put-aside")
    assert "mine.key" in folder.scan(code=5)
    assert 'error: "." is in no Git repository' in folder.scan("--staged", code=2)


def test_staged_is_what_stands_in_the_index(folder: Folder) -> None:
    folder.put({"a/leak.yaml": PLAIN, "b/other.yaml": HARMLESS, "large.bin": "\n" * (9 << 20) + KEY})
    folder.git("add", "-A")
    folder.put({"a/leak.yaml": HARMLESS, "b/other.yaml": PLAIN, "c.yaml": PLAIN})
    said = folder.scan("--staged", code=5)

    assert said.count("error MESH417") == 2
    assert "a/leak.yaml:1:1: error MESH417" in said
    assert f"large.bin:{(9 << 20) + 1}:1: error MESH417" in said
    assert "in 1 staged file\n" in folder.scan("--staged", "b", code=0)
    assert "a/leak.yaml:1:1" in folder.scan("--staged", "a/leak.yaml", "a", code=5)
    assert "in 0 staged files" in folder.scan("--staged", "c.yaml", code=0)


def test_staged_is_what_the_commit_changes(folder: Folder) -> None:
    folder.put({"old.yaml": PLAIN, "gone.yaml": PLAIN})
    (folder.base / "link.yaml").symlink_to("old.yaml")
    folder.git("add", "-A")
    folder.git("commit", "-qm", "it was there already")
    folder.git("rm", "-q", "gone.yaml")
    (folder.base / "link.yaml").unlink()
    (folder.base / "link.yaml").symlink_to("gone.yaml")
    folder.put({f"{number}.yaml": f"number: {number}\n" for number in range(501)})
    folder.git("add", "-A")

    assert "in 501 staged files" in folder.scan("--staged", code=0)


def test_as_a_hook_it_sees_the_commit_that_is_being_made(folder: Folder) -> None:
    """`git commit -a` and `git commit FILE` make it from an index of their own, which only GIT_INDEX_FILE names."""
    folder.put({"b/a.yaml": HARMLESS})
    folder.git("add", "-A")
    folder.git("commit", "-qm", "one")
    hook = folder.base / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec {sys.executable} -m meshc secrets scan --staged b\n")
    hook.chmod(0o755)
    folder.put({"b/a.yaml": PLAIN})

    for words in (("-a",), ("b/a.yaml",)):
        done = folder.git("commit", "-qm", "two", *words)

        assert (done.returncode, "b/a.yaml:1:1: error MESH417" in done.stderr) == (1, True), done.stderr


def test_settings_that_came_with_the_repository_run_nothing(folder: Folder) -> None:
    """git runs with the folder as its HOME, whose .gitconfig may be anybody's."""
    mark = folder.base / "it-ran"
    program = f"touch {mark}; cat"
    settings = f'[core]\n fsmonitor = "{program}"\n[filter "x"]\n clean = "{program}"\n process = "{program}"\n'
    settings += f'[diff "x"]\n textconv = "{program}"\n command = "{program}"\n'
    folder.put({".gitconfig": settings, ".gitattributes": "* filter=x diff=x\n", "a.yaml": HARMLESS})
    folder.git("add", "-A")
    os.utime(folder.base / "a.yaml", (1, 1))
    folder.scan(code=0)
    folder.scan("--staged", code=0)

    assert not mark.exists()

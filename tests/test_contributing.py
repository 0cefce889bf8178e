"""What a contributor's editor and hooks are told: .editorconfig fits the tree, each hook finds what it is for."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.paths import ROOT
from support.tools import find_tool

HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
INDENT = {"space": b" ", "tab": b"\t"}


def sections() -> list[tuple[re.Pattern[str], dict[str, str]]]:
    """Each pattern of .editorconfig as a regular expression over paths from the top, with its settings."""
    text = (ROOT / ".editorconfig").read_text().partition("root = true\n")[2]
    parser = ConfigParser()
    parser.read_string(text)
    return [(re.compile(expression(glob)), dict(parser[glob])) for glob in parser.sections()]


def expression(glob: str) -> str:
    """`**` is any path, `*` any name, `{a,b}` one of several; a glob without a slash holds in every folder."""
    words = {"**": ".*", "*": "[^/]*", "{": "(?:", "}": ")", ",": "|"}
    spelled = "".join(words.get(part, re.escape(part)) for part in re.split(r"(\*\*|[*{},])", glob))
    return spelled if "/" in glob else f"(?:.*/)?{spelled}"


def settings_of(path: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pattern, settings in sections():
        if pattern.fullmatch(path):
            found |= settings
    return found


def faults(path: str, data: bytes) -> list[str]:
    """Which settings the file breaks."""
    settings = settings_of(path)
    other = {b" ", b"\t"} - {INDENT.get(settings["indent_style"])}
    lines = data.split(b"\n")
    broken = {
        "charset": settings["charset"] == "utf-8" and "\ufffd" in data.decode("utf-8", "replace"),
        "end_of_line": settings["end_of_line"] == "lf" and b"\r" in data,
        "insert_final_newline": settings["insert_final_newline"] == "true" and not data.endswith(b"\n"),
        "trim_trailing_whitespace": settings["trim_trailing_whitespace"] == "true"
        and any(line[-1:] in (b" ", b"\t") for line in lines),
        "indent_style": settings["indent_style"] in INDENT and any(line[:1] in other for line in lines),
    }
    return [name for name, fault in broken.items() if fault]


@pytest.mark.thorough
def test_every_file_is_as_editors_are_told() -> None:
    git = [find_tool("git"), "ls-files", "-z"]
    listed = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    listed = [path for path in listed if not path.startswith("tests/cases/")]  # which are as tools write them
    files = [path for path in listed if path and (ROOT / path).is_file() and not (ROOT / path).is_symlink()]
    found = {path: faults(path, (ROOT / path).read_bytes()) for path in files if (ROOT / path).stat().st_size}

    assert len(files) > 100
    assert {path: broken for path, broken in found.items() if broken} == {}


@pytest.mark.parametrize(
    ("path", "data", "broken"),
    [
        ("a/b.py", b"x = 1", ["insert_final_newline"]),
        ("a/b.py", b"x = 1 \n", ["trim_trailing_whitespace"]),
        ("a.yaml", b"a:\n\tb\n", ["indent_style"]),
        ("Makefile", b"a:\n  b\n", ["indent_style"]),
        ("docs/a.md", b"\tb\r\n", ["end_of_line"]),
        ("docs/a.md", b"\xff\n", ["charset"]),
        ("tests/cases/a/mesh.yaml", b"\tb \r", []),
    ],
)
def test_a_file_that_is_otherwise_is_found(path: str, data: bytes, broken: list[str]) -> None:
    assert faults(path, data) == broken


def run(hook: str, *files: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The hook as pre-commit runs it, with the programs beside this Python for those in .venv."""
    (entry,) = [one["entry"] for one in HOOKS if one["id"] == hook]
    program, *words = shlex.split(entry)
    beside = Path(sys.executable).parent / Path(program).name

    assert program == f".venv/bin/{beside.name}"

    argv = [str(beside), *words, *files]
    return subprocess.run(
        argv, cwd=cwd, env={**os.environ, "NO_COLOR": "1"}, capture_output=True, text=True, check=False
    )


@pytest.mark.thorough
def test_the_hooks_find_what_they_are_for(tmp_path: Path) -> None:
    (tmp_path / "format.py").write_text("x = {  'a':1 }\n")
    (tmp_path / "check.py").write_text("import os\n")
    (tmp_path / "right.py").write_text("x = 1\n")
    key = "-----BEGIN PRIVATE KEY-----\n" + "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg" * 2  # of nobody
    (tmp_path / "key.txt").write_text(f"{key}\n-----END PRIVATE KEY-----\n")

    assert run("ruff-format", "format.py", cwd=tmp_path).returncode == 0
    assert (tmp_path / "format.py").read_text() == 'x = {"a": 1}\n'
    assert "F401" in run("ruff-check", "check.py", cwd=tmp_path).stdout
    assert run("meshc-scan", "key.txt", cwd=tmp_path).returncode == 5
    assert [run(hook["id"], "right.py", cwd=tmp_path).returncode for hook in HOOKS] == [0, 0, 0]


def test_no_hook_is_fetched() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())

    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    assert {hook["language"] for hook in HOOKS} == {"system"}

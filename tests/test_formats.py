"""The JSON documents of the commands: one form, described on one page, the same keys whatever the outcome."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from meshc.cli.envelope import KEYS
from meshc.cli.main import app
from meshc.cli.table import Line, show_table
from support.paths import ROOT
from support.tools import find_tool

FIRST = ("version", "command", "exit", "error", "hint", "problems")
RUN = (
    "check",
    "compile",
    "diff --exit-zero --against output",
    "next",
    "plan",
    "secrets status",
    "validate",
    "verify",
)


def said(words: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, [*words.split(), "--format", "json"], catch_exceptions=False)
    return result.exit_code, json.loads(result.stdout)


def keys_in(data: Any) -> Iterator[str]:
    """All keys of a document."""
    for one in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from keys_in(one)
    if isinstance(data, dict):
        yield from data


@pytest.mark.parametrize("words", RUN)
def test_keys_are_the_same_whatever_the_outcome(words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_tool("kubectl")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    missing = said(words)
    (tmp_path / "mesh.yaml").write_text("apiVersion: [")
    wrong = said(words)
    shutil.copy(ROOT / "examples/classic/mesh.yaml", tmp_path)
    for name in ("apps", "certificates", "sealed", "patches", "extra", "overlays", "output"):
        if (ROOT / "examples/classic" / name).exists():
            shutil.copytree(ROOT / "examples/classic" / name, tmp_path / name)
    good = said(words)

    assert [missing[0], wrong[0]] == [2, 3]
    assert good[0] == 0, good
    for code, document in (missing, wrong, good):
        assert tuple(document) == (*FIRST, *KEYS[document["command"]])
        assert words.startswith(document["command"])
        assert (document["version"], document["exit"]) == (1, code)
    assert [key for key in keys_in(good[1]) if "_" in key] == []
    assert missing[1]["error"].startswith('there is no "mesh.yaml"')
    assert missing[1]["hint"].startswith("name it with -f")
    assert not wrong[1]["error"]
    assert wrong[1]["problems"]
    assert good[1][KEYS[good[1]["command"]][0]] is not None


def test_the_page_has_every_command_with_its_keys() -> None:
    rows = re.findall(r"^\| `([a-z ]+)` \| (`.+`) \|$", (ROOT / "docs/formats.md").read_text(), re.MULTILINE)

    assert {name: tuple(keys.strip("`").split("`, `")) for name, keys in rows if name in KEYS} == dict(KEYS)


def _is_of_results(parameter: Any) -> bool:
    """Whether an option says how results are written, and not which format an inventory has."""
    return bool(parameter.metavar != "FORMAT")


def test_every_command_that_speaks_json_has_its_keys() -> None:
    commands = get_command(app)
    context = commands.make_context("meshc", ["validate"], resilient_parsing=True)
    found = set()
    for name in commands.list_commands(context):  # type: ignore[attr-defined]
        command = commands.get_command(context, name)  # type: ignore[attr-defined]
        parts = getattr(command, "commands", {"": command})
        found |= {
            f"{name} {part}".strip()
            for part, one in parts.items()
            if any("--format" in parameter.opts and _is_of_results(parameter) for parameter in one.params)
        }

    assert found == set(KEYS)


def test_a_table_is_as_wide_as_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(
        ("NAME", "STATE", "SAYS"), [Line(("店", "ok", "a\x1b[31m")), Line(("edge-10", "differs", ""), ["a note"])]
    )
    show_table(("NAME",), [])

    assert capsys.readouterr().out == (
        "NAME     STATE    SAYS\n店       ok       a\\x1b[31m\nedge-10  differs\n         a note\n"
    )

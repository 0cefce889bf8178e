"""The JSON documents of the commands: one form, described on one page, the same keys whatever the outcome."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.main import get_command
from typer.testing import CliRunner

from meshc.cli.envelope import KEYS
from meshc.cli.main import app
from meshc.cli.table import Line, show_table
from support.commands import invoke
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


def objects_without_keys(schema: Any, at: str) -> Iterator[str]:
    """The places of objects whose keys nothing names, but Helm's values, which are the user's."""
    if isinstance(schema, list):
        for one in schema:
            yield from objects_without_keys(one, at)
    if not isinstance(schema, dict):
        return
    if "object" in schema.get("type", ()) and not {"properties", "additionalProperties"} & schema.keys():
        yield from [at] * (at != "values")
    for key, inner in schema.items():
        own = key in ("properties", "$defs")
        for name, one in inner.items() if own else [(at, inner)]:
            yield from objects_without_keys(one, name)


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


def test_each_document_has_a_schema_that_is_printed() -> None:
    for name in KEYS:
        schema = json.loads(invoke("schema", "--output", name).stdout)
        Draft202012Validator.check_schema(schema)
        assert schema["required"] == [*FIRST, *KEYS[name]]
        whole = {**dict.fromkeys(schema["required"]), "version": 1, "command": name, "exit": 0, "error": "", "hint": ""}
        Draft202012Validator(schema).validate({**whole, "problems": [], "of a later version": 1})
        faults: list[dict[str, Any]] = [{"version": 2}, {"exit": "0"}, {"problems": [{}]}, {KEYS[name][0]: 1.5}]
        for wrong in faults:
            assert not Draft202012Validator(schema).is_valid({**whole, "problems": [], **wrong})
        assert not list(objects_without_keys(schema, ""))
    unknown = invoke("schema", "--output", "graph")
    assert (unknown.exit_code, "commands that do: ca status" in unknown.stderr) == (2, True)

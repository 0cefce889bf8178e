"""The documentation is true: its commands run, its links lead somewhere, its generated pages are made from the code."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from make_cli import cli_page, man_pages
from make_docs import problems_page, support_page
from meshc.cli.main import app
from meshc.codes import every_code
from support.generated import assert_current
from support.markdown import blocks
from support.paths import ROOT
from support.shown import FOLLOWED, fits
from support.tools import find_tool

HELP_OPTIONS = {"-h", "--help"}
CLASSIC = ROOT / "examples/classic"
PAGES = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    CLASSIC / "README.md",
]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
SAMPLED = [page for page in PAGES if str(page.relative_to(ROOT)) not in FOLLOWED and "```console" in page.read_text()]
SAMPLE = ("examples", "mesh.yaml", "apps", "certificates", "sealed", "patches", "extra", "overlays", "output")


@pytest.mark.parametrize("page", SAMPLED, ids=lambda page: page.name)
def test_the_commands_of_a_page_say_what_it_shows(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_tool("kubectl")
    for name in SAMPLE:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")

    for block in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL):
        for command, shown in re.findall(r"^\$ meshc (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            result = CliRunner().invoke(app, shlex.split(command), catch_exceptions=False)

            assert result.exit_code == 0, result.output
            assert fits(result.stdout, shown), result.stdout


def test_the_mistake_that_the_readme_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_tool("kubectl")
    for name in SAMPLE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / ".git").mkdir()
    (tmp_path / "mesh.yaml").write_text((ROOT / "mesh.yaml").read_text().replace("10.11.0.0/16", "10.10.128.0/17"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")

    said = CliRunner().invoke(app, ["validate"]).stderr

    assert said.rpartition("\n1 error")[0] in (ROOT / "README.md").read_text()


def test_the_difference_that_the_readme_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_tool("kubectl")
    for name in SAMPLE:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "a"],
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    (tmp_path / "mesh.yaml").write_text(
        (ROOT / "mesh.yaml").read_text().replace("istiod: 10.0.5.20", "istiod: 10.0.5.21")
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")

    said = CliRunner().invoke(app, ["diff", "--base", "HEAD"]).stdout

    assert f"$ meshc diff\n{said}```" in (ROOT / "README.md").read_text()


def test_what_the_readme_shows_of_the_output_stands_there() -> None:
    shown = re.findall(r"```yaml\n# (output/\S+), .*\n((?:.*\n)*?)```", (ROOT / "README.md").read_text())

    assert len(shown) == 1
    assert [file for file, text in shown if text not in (ROOT / file).read_text()] == []


def test_the_page_of_problems_is_made_from_the_codes() -> None:
    assert_current("docs/problems.md", problems_page())


def test_the_page_of_versions_is_made_from_the_table() -> None:
    assert_current("docs/support.md", support_page())


def test_the_page_of_commands_is_made_from_the_commands() -> None:
    assert_current("docs/cli.md", cli_page())


def test_every_command_has_a_man_page() -> None:
    made = man_pages()

    assert {"meshc.1", "meshc-compile.1", "meshc-ca-rotate-root.1"} <= made.keys()
    assert "\n.SH SYNOPSIS\nmeshc compile [OPTIONS]\n" in made["meshc-compile.1"]


def test_every_step_of_the_guide_is_found_in_the_output() -> None:
    rows = re.findall(r"^\|.*\| (.*) \|$", (CLASSIC / "README.md").read_text(), re.MULTILINE)
    found = [pair for row in rows for pair in re.findall(r"`(output/[^`]*)` `([^`]*)`", row)]

    assert len(found) > 15
    assert [(file, text) for file, text in found if text not in (CLASSIC / file).read_text()] == []
    assert {code for row in rows for code in re.findall(r"MESH\d+", row)} <= every_code().keys()


def test_the_commands_and_options_of_every_block_exist() -> None:
    """Also of those that no test runs, because they need a live cluster."""
    pages = [*PAGES, *sorted((ROOT / "compiler/meshc/pages").glob("*.md"))]
    written = {
        (str(page.relative_to(ROOT)), command.strip())
        for page in pages
        for language, text in blocks(page.read_text())
        if language in ("sh", "console", "")
        for command in re.findall(r"^(?:.*[|;&(] *|\$ +)?meshc ([a-z][^|;&#>)\n]*)", text, re.MULTILINE)
    }

    assert len(written) > 100
    assert sorted(f"{page}: meshc {command}" for page, command in written if not is_there(command)) == []


@pytest.mark.parametrize(
    ("command", "there"),
    [("ca issue --force", True), ("compile --no-cache", True), ("compile --forced", False), ("ca isue", False)],
)
def test_a_command_that_is_not_there_is_found(command: str, there: bool) -> None:
    assert is_there(command) is there


def is_there(words: str) -> bool:
    """Whether there is such a command, with the options that are written."""
    command: Any = get_command(app)
    context = command.make_context("meshc", [], resilient_parsing=True)
    for word in words.split():
        if word.startswith("-") and word != "-":
            if (
                word.partition("=")[0]
                not in {option for each in command.params for option in [*each.opts, *each.secondary_opts]}
                | HELP_OPTIONS
            ):
                return False
        elif hasattr(command, "commands") and word.rstrip(".,:"):
            command = command.get_command(context, word)
            if command is None:
                return False
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_codes_that_a_page_names_exist(page: Path) -> None:
    assert sorted(set(re.findall(r"MESH\d{3}", page.read_text())) - every_code().keys()) == []

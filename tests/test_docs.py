"""The documentation is true: its commands run, its links lead somewhere, its generated pages are made from the code."""

from __future__ import annotations

import fnmatch
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from make_docs import problems_page, support_page
from meshc.cli.main import app
from meshc.codes import every_code
from support.generated import assert_current
from support.paths import ROOT
from support.tools import find_tool

CLASSIC = ROOT / "examples/classic"
PAGES = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    CLASSIC / "README.md",
]
PAGES += sorted((ROOT / "docs").glob("*.md"))
SAMPLE = ("examples", "mesh.yaml", "apps", "certificates", "sealed", "patches", "extra", "overlays", "output")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
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


def fits(actual: str, shown: str) -> bool:
    """Whether what was printed is what the page shows; a line `...` stands for any lines."""
    pattern = "".join(
        "*" if line == "..." else re.sub(r"([\[?*])", r"[\1]", line) + "\n" for line in shown.splitlines()
    )
    return fnmatch.fnmatchcase(actual, pattern)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())

    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_the_page_of_problems_is_made_from_the_codes() -> None:
    assert_current("docs/problems.md", problems_page())


def test_the_page_of_versions_is_made_from_the_table() -> None:
    assert_current("docs/support.md", support_page())


def test_every_step_of_the_guide_is_found_in_the_output() -> None:
    rows = re.findall(r"^\|.*\| (.*) \|$", (CLASSIC / "README.md").read_text(), re.MULTILINE)
    found = [pair for row in rows for pair in re.findall(r"`(output/[^`]*)` `([^`]*)`", row)]

    assert len(found) > 15
    assert [(file, text) for file, text in found if text not in (CLASSIC / file).read_text()] == []
    assert {code for row in rows for code in re.findall(r"MESH\d+", row)} <= every_code().keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_codes_that_a_page_names_exist(page: Path) -> None:
    assert sorted(set(re.findall(r"MESH\d{3}", page.read_text())) - every_code().keys()) == []

"""The upgrade that docs/upgrades.md shows, done: each commit's difference is the one on the page."""

from __future__ import annotations

import fnmatch
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from typer.testing import CliRunner

from meshc.cli.main import app
from support.paths import ROOT
from support.tools import find_tool

if TYPE_CHECKING:
    import pytest

PAGE = (ROOT / "docs/upgrades.md").read_text()


def test_each_commit_of_the_page_differs_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_tool("kubectl")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    before, *steps = PAGE.split("\n## ")
    mesh = _blocks(before, "yaml")[0]
    _git("init", "-q")
    _committed(mesh)
    shown = [(_blocks(step, "yaml")[0], _blocks(step, "text")[0]) for step in steps if step[0].isdigit()]

    for istio, difference in shown:
        (tmp_path / "mesh.yaml").write_text(_with(mesh, istio))
        command, expected = difference.removeprefix("$ meshc ").split("\n", 1)
        said = CliRunner().invoke(app, shlex.split(command), catch_exceptions=False)

        assert fnmatch.fnmatchcase(said.stdout, _pattern(expected)), said.stdout
        _committed(_with(mesh, istio))
    assert len(shown) == 3


def _with(mesh: str, istio: str) -> str:
    """The mesh with another istio, in place of its own."""
    own = re.search(r"  istio:\n(    .*\n)+", mesh)
    assert own
    assert yaml.safe_load(istio).keys() == {"istio"}
    return mesh.replace(own[0], "".join(f"  {line}\n" for line in istio.splitlines()))


def _committed(mesh: str) -> None:
    Path("mesh.yaml").write_text(mesh)
    assert CliRunner().invoke(app, ["compile"]).exit_code == 0
    _git("add", "-A")
    _git("-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "a")


def _git(*words: str) -> None:
    subprocess.run(["git", *words], check=True)


def _blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def _pattern(shown: str) -> str:
    lines = ("*" if line == "..." else re.sub(r"([\[?*])", r"[\1]", line) + "\n" for line in shown.splitlines())
    return "".join(lines)

"""The tutorial is followed to the letter in an empty folder: its files are written, its commands run, their output is
what the page shows. So are the guides that continue its mesh. Steps that need live clusters are in blocks of `sh`;
`make proof` has stories for them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from contextlib import chdir
from copy import copy
from pathlib import Path
from subprocess import PIPE, STDOUT
from unittest.mock import patch

import pytest
from pyrage import x25519
from typer.testing import CliRunner

from meshc.cli.main import app
from support.markdown import blocks
from support.paths import ROOT
from support.shown import AFTER_THE_TUTORIAL, fits
from support.tools import find_tool

pytestmark = pytest.mark.thorough

CREATED = re.compile(r"# [\w/-]+\.yaml\n")
"""How a block of YAML begins that is a whole file."""


class Reader:
    """A person at the first prompt of the page, who does what it says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        identity, second = x25519.Identity.generate(), x25519.Identity.generate()
        self.recipients = {"age1...2": str(second.to_public()), "age1...": str(identity.to_public())}
        programs = folder.parent / "programs"
        programs.mkdir()
        keys = f'case "$2" in *hub.agekey) echo "{identity}" ;; *) echo "{second}" ;; esac > "$2"'
        _program(programs / "age-keygen", keys)
        certificate = "openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj / 2> /dev/null"
        _program(programs / "kubeseal", certificate)
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "NO_COLOR": "1"}
        for who in ("AUTHOR", "COMMITTER"):
            self.environment |= {f"GIT_{who}_NAME": "a", f"GIT_{who}_EMAIL": "a@example.com"}

    def creates(self, text: str) -> None:
        path = self.folder / text.partition("\n")[0].removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def changes(self, diff: str) -> None:
        """Changes mesh.yaml as a block of `diff` shows."""
        for short, recipient in self.recipients.items():
            diff = diff.replace(short, recipient)
        lines = diff.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] != "+")
        after = "".join(line[1:] for line in lines if line[0] != "-")
        text = (self.folder / "mesh.yaml").read_text()
        assert text.count(before) == 1, f"mesh.yaml has this {text.count(before)} times:\n{before}"
        (self.folder / "mesh.yaml").write_text(text.replace(before, after))

    def runs(self, command: str) -> str:
        """What a command prints. `cd` lasts. Fails if a command fails, except by a problem that it shows."""
        if command.startswith("cd "):
            self.folder /= command.removeprefix("cd ")
            return ""
        if command.startswith("meshc "):  # in this process, as a start of Python takes longer than most commands
            with chdir(self.folder), patch.dict(os.environ, self.environment):
                result = CliRunner().invoke(app, shlex.split(command)[1:], catch_exceptions=False)
            code, printed = result.exit_code, result.output
        else:
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=self.folder,
                env=self.environment,
                stdout=PIPE,
                stderr=STDOUT,
                text=True,
                timeout=60,
            )
            code, printed = done.returncode, done.stdout
        assert code == 0 or "error MESH" in printed or command == "meshc diff", printed
        return printed

    def follows(self, page: str) -> int:
        """Does what a page says; how many commands that were."""
        ran = 0
        for language, text in blocks((ROOT / page).read_text()):
            if language == "yaml" and CREATED.match(text):
                self.creates(text)
            elif language == "diff":
                self.changes(text)
            elif language == "console":
                for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
                    printed = self.runs(command)
                    assert fits(printed, shown), f"{page}\n$ {command}\n{printed}"
                    ran += 1
        return ran

    def again(self, folder: Path) -> Reader:
        """Another reader, who has what this one has."""
        other = copy(self)
        shutil.copytree(self.folder.parent, folder, symlinks=True)
        other.folder = folder / self.folder.name
        return other


def _program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def test_the_tutorial_and_the_guides_after_it_work_as_they_are_written(tmp_path: Path) -> None:
    find_tool("kubectl")
    (tmp_path / "reader").mkdir()
    reader = Reader(tmp_path / "reader")

    assert reader.follows("docs/tutorial.md") > 15
    for page in AFTER_THE_TUTORIAL:
        assert reader.again(tmp_path / Path(page).stem).follows(page) > 0

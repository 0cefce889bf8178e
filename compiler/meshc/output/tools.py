"""Finds the external programs that meshc uses, and reports why others were ignored."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.errors import ToolError
from meshc.git import NoGitError, ask_git
from meshc.output.kustomize import NAMED, candidates
from meshc.process import Command, CommandError, run

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.disk.repository import Repository


@dataclass(frozen=True, slots=True)
class Tool:
    """An external program. `version` is empty if none was found. `passed_over` are the ignored programs, each with the
    reason."""

    name: str
    used_for: str
    variable: str
    version: str = ""
    command: str = ""
    passed_over: tuple[str, ...] = ()


def tools(cache: Repository) -> list[Tool]:
    """Every tool, in the order in which a new user needs them. Starts programs, and reads no mesh."""
    return [_kustomize(cache), *(_ask(*asked) for asked in _OTHERS)]


def trouble_with_git(folder: Path) -> str:
    """Why Git refuses the repository around the folder, and what to do; "" if Git accepts it, or if there is no
    repository."""
    try:
        ask_git(folder, "rev-parse", "--show-toplevel")
    except (CommandError, NoGitError):
        return ""
    except ToolError as error:
        return str(error)
    return ""


_VERSION = re.compile(r"(?<!\d)v?(\d+\.\d+\.\d+)")
_OTHERS = (
    ("git", "meshc publish", "", ("--version",)),
    ("helm", "meshc compile where mesh.yaml names charts, meshc vendor", "MESHC_HELM", ("version", "--short")),
    ("istioctl", "meshc inject, with the one of Istio 1.0", "MESHC_ISTIOCTL", ("version", "--short")),
)


def _kustomize(cache: Repository) -> Tool:
    used_for = "meshc compile, check"
    passed_over: list[str] = []
    for candidate in candidates(cache):
        if candidate.kustomize:
            command = " ".join(candidate.kustomize.argv)
            version = str(candidate.kustomize.version)
            return Tool("kustomize", used_for, NAMED, version, command, tuple(passed_over))
        passed_over.append(f"{candidate.program} {candidate.why}")
    return Tool("kustomize", used_for, NAMED, passed_over=tuple(passed_over))


def _ask(name: str, used_for: str, variable: str, arguments: tuple[str, ...]) -> Tool:
    named = os.environ.get(variable, "") if variable else ""
    path = shutil.which(named or name)
    if path is None:
        passed_over = (f"{named}, which {variable} names, is not an executable program",) if named else ()
        return Tool(name, used_for, variable, passed_over=passed_over)
    try:
        said = run(Command((path, *arguments), timeout=20)).decode(errors="replace")
    except CommandError as error:
        return Tool(name, used_for, variable, passed_over=(f"{path} doesn't tell its version: {_first(error.said)}",))
    found = _VERSION.search(said)
    if found is None:
        return Tool(name, used_for, variable, passed_over=(f"{path} doesn't tell its version",))
    return Tool(name, used_for, variable, found[1], path)


def _first(said: str) -> str:
    return said.partition("\n")[0][:120] or "it says nothing"

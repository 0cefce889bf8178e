"""`meshc doctor`: prints what meshc finds on this machine."""

from __future__ import annotations

import platform
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from meshc.cli.report import Format, paint, show_result, tell
from meshc.commands.machine import machine
from meshc.errors import Exit
from meshc.plain import plain
from meshc.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.output.tools import Tool


def doctor_command(file: Path, form: Format) -> None:
    """Lists the external programs: which were found, their versions, why others were ignored.

    Exits 4 if there is no kustomize, or if Git refuses the repository of mesh.yaml.
    """
    found = machine(file.parent)
    if form.is_document:
        programs = [_as_json(tool) for tool in found.tools]
        told = {"meshc": __version__, "python": platform.python_version(), "tools": programs}
        end = Exit.DONE if found.works else Exit.TOOL
        show_result(form, "doctor", {**told, "repository": found.trouble}, end=end)
    else:
        tell(f"{'meshc':<10} {__version__}")
        tell(f"{'python':<10} {platform.python_version()}   {sys.executable}")
        for tool in found.tools:
            _line(tool)
        for line in found.trouble.splitlines():
            tell(f"{'':<10} {plain(line)}" if line.startswith(" ") else f"{'repository':<10} {plain(line)}")
    if not found.works:
        raise typer.Exit(Exit.TOOL)


def _as_json(tool: Tool) -> dict[str, object]:
    told = asdict(tool)
    return told | {"usedFor": told.pop("used_for"), "passedOver": told.pop("passed_over")}


def _line(tool: Tool) -> None:
    if tool.version:
        tell(f"{tool.name:<10} {paint(tool.version, 'green', sys.stdout)}   {plain(tool.command)}")
    else:
        named = f", or name one with {tool.variable}" if tool.variable else ""
        tell(f"{tool.name:<10} {paint('not found', 'yellow', sys.stdout)}   put it on PATH{named}")
    tell(f"{'':<10} for {tool.used_for}")
    for passed in tool.passed_over:
        tell(f"{'':<10} ignored: {plain(passed)}")

"""`meshc values`: prints the Helm values of a cluster, for people who install its charts with other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.progress import TERMINAL
from meshc.cli.report import tell
from meshc.commands.opened import Opened
from meshc.commands.values import sail_form, values
from meshc.errors import UsageError
from meshc.plain import plain

if TYPE_CHECKING:
    from pathlib import Path


def values_command(name: str, chart: str | None, file: Path) -> None:
    """Prints the values of each chart, or of one."""
    for number, one in enumerate(values(Opened(file, listener=TERMINAL), name, chart)):
        tell(("---\n" if number else "") + f"# chart {one.chart}, release {one.release}, namespace {one.namespace}")
        tell(one.text.rstrip("\n"))


def sail_command(name: str, chart: str | None, file: Path) -> None:
    """Prints the resources of the Sail operator, and in comments what they can't express. Raises UsageError."""
    if chart:
        raise UsageError("the Sail operator installs several charts by one resource", "leave --chart out")
    form = sail_form(Opened(file, listener=TERMINAL), name)
    for number, (text, left_out) in enumerate(form.resources):
        tell(("---\n" if number else "") + text.rstrip("\n"))
        for path in left_out:
            tell(f"# left out: the operator knows no value {plain(path)}")
    for chart, release in form.others:
        how = f"use meshc values {name} --chart {release}"
        tell(f"# left out: the operator doesn't install {release} (chart {chart}); {how}")

"""Reads a mesh with its certificates and sealed files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.commands.opened import opened_for
from meshc.issuing.work import Work
from meshc.pipeline import plan_mesh

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.commands.listener import Listener


def opened_work(file: Path, listener: Listener, *, writes: bool) -> Work:
    """The certificates and sealed files of a mesh.

    Raises ProblemsError if mesh.yaml is invalid. If the command `writes`, it first finishes or undoes an interrupted
    run; else such a run raises RefusedError.
    """
    opened = opened_for(file, listener, writes=writes)
    return Work(opened.repository, plan_mesh(opened.source))

"""What every command does before it reads a mesh: it looks for an interrupted run, and for state in Git."""

from __future__ import annotations

from os.path import lexists
from typing import TYPE_CHECKING

from meshc import codes
from meshc.disk.state import WORK
from meshc.errors import Place, stop_on

if TYPE_CHECKING:
    from meshc.commands.listener import Listener
    from meshc.disk.repository import Repository


def begin_reading(repository: Repository) -> None:
    """Raises RefusedError after an interrupted run, because only a writing command may finish or undo it.

    Raises ProblemsError if Git tracks a file in meshc's own folder.
    """
    _refuse_tracked_state(repository)
    repository.refuse_interrupted()


def begin_writing(repository: Repository, listener: Listener) -> None:
    """Finishes or undoes an interrupted run, with a note.

    Raises RefusedError if that is impossible, and ProblemsError if Git tracks a file in meshc's own folder.
    """
    _refuse_tracked_state(repository)
    if repository.recover():
        listener.note("finished or undid an interrupted run")


def _refuse_tracked_state(repository: Repository) -> None:
    if not lexists(repository.base / WORK):
        return
    from meshc.commands.tracked import below

    names = [path for path in below(repository.base) if path.lower().split("/")[0] == WORK]
    hint = f"git rm -r --cached {WORK}, and commit that"
    stop_on(codes.STATE_IN_GIT.at(Place(name, 1, 1), f'"{WORK}" is in Git', hint) for name in names[:1])

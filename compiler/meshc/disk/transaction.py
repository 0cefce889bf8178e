"""Replaces files by renames: all of them, or none, even if a run is killed.

New files are staged below `.meshc/transaction/new`, on the file system of their targets. A journal lists them with
their digests, in a folder where no checkout can write (disk/state.py). Then each old file is renamed into
`.meshc/transaction/old`, and each new file to its target. Undoing (after a failure) and completing (after a killed run)
use only the state on the disk, and a staged file is used only if its digest is in the journal.

The user's files are synced to the disk (fsync) before any rename. Generated files aren't, as Git doesn't sync a
checkout: after a power failure some may be empty, and the next compile writes them again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from os.path import lexists
from pathlib import Path

from meshc.disk.files import (
    drop_empty,
    make_folders,
    own_folder,
    quoted,
    reason,
    sync,
    telling,
    write_new,
)
from meshc.disk.journal import Journal
from meshc.disk.recovery import Move, clear, finish, recover
from meshc.disk.state import State
from meshc.errors import RefusedError, ToolError


@contextmanager
def writing(base: Path, state: State) -> Iterator[bool]:
    """Takes the lock to write below `base`, and recovers from a killed run: yields True if there was one.

    Raises RefusedError if another meshc is writing, or if a recovery isn't possible; ToolError if the disk fails.
    """
    shown = quoted(f"{state.shown}/lock")
    with telling(f"cannot lock {shown}"):
        state.make()
        fd = os.open(state.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        with telling(f"cannot lock {shown}"):
            _lock(fd, fcntl.LOCK_EX)
            os.ftruncate(fd, 0)
            os.pwrite(fd, str(os.getpid()).encode(), 0)
        with telling("cannot recover from an interrupted run in .meshc", "; the next command that writes tries again"):
            recovered = recover(base, state)
        yield recovered
    finally:
        os.close(fd)  # releases the lock. The file stays: otherwise two runs could lock two different files


def refuse_another_writer(state: State) -> None:
    """Raises RefusedError if another meshc is writing right now. Changes nothing."""
    try:
        fd = os.open(state.folder / "lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    try:
        _lock(fd, fcntl.LOCK_SH)
    finally:
        os.close(fd)


def _lock(fd: int, how: int) -> None:
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(fd, 20, 0).decode("ascii", "replace")
        raise RefusedError(f"another meshc is writing here (process {holder}); wait until it is done") from None


def apply(
    base: Path,
    state: State,
    changes: Mapping[str, Mapping[str, bytes]],
    current: Mapping[str, Mapping[str, bytes]],
    *,
    generated: bool = True,
) -> None:
    """Replaces the files of each unit; a unit without files is removed. The caller must hold the lock."""
    moves = {unit: Move.of(base, unit, arrives=bool(files)) for unit, files in changes.items()}
    unit = f"{state.shown}/journal.json"
    try:
        for name in ("old", "new"):
            own_folder(base, "transaction", name)
        for unit, move in moves.items():
            _stage(base, move, changes[unit], current[unit], safe=not generated)
        state.write_journal(Journal.of(current, changes, generated=generated).to_bytes())
        sync(state.folder)
        for unit in moves:
            moves[unit].forward()
    except BaseException as error:
        try:
            _undo(base, state, moves.values())
        except OSError as second:
            raise ToolError(
                f"cannot write {quoted(unit)}: {reason(error)}, and the old files could not be put back: "
                f"{reason(second)}; the next meshc command that writes will finish this"
            ) from error
        if isinstance(error, OSError):
            raise ToolError(f"cannot write {quoted(unit)}: {reason(error)}; nothing was changed") from error
        raise
    with suppress(OSError):  # the work is done; the next run removes the rest
        finish(base, state, changes)


def _stage(base: Path, move: Move, files: Mapping[str, bytes], current: Mapping[str, bytes], *, safe: bool) -> None:
    """Stages the new files of a unit. Unchanged files get a second hard link."""
    folders: set[str] = set()
    unit, new = move.target.relative_to(base).as_posix(), str(move.new)
    for path, data in files.items():
        file = new + path.removeprefix(unit)
        folder = file.rpartition("/")[0]
        if folder not in folders:
            make_folders(Path(folder))
            folders.add(folder)
        if current.get(path) == data:
            with suppress(OSError):  # a filesystem without hard links
                os.link(base / path, file)
                continue
        write_new(file, data, safe=safe)


def _undo(base: Path, state: State, moves: Iterable[Move]) -> None:
    if lexists(state.journal):  # otherwise nothing was moved yet
        for move in reversed([*moves]):
            move.back()
        state.journal.unlink()  # first, because a half deleted transaction must not be completed
    clear(base, state)
    for move in moves:
        drop_empty(base, move.target.parent)

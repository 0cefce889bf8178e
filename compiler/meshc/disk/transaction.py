"""transaction turns files into other files by renames: all of them, or none, also if a run is killed.

New ones are staged below `.meshc/transaction/new`, a journal names them, then each old one is renamed into
`.meshc/transaction/old` and each new one into its place. Where one stands tells how far it got, so undoing (after a
failure) and finishing (after a killed run) both look at the disk, never at what a process remembers.

Files of the user's are safe on the disk before anything moves. Generated ones aren't waited for, nor does Git
wait for those that it checks out: a power cut may leave some blank, and the next compile writes them again.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from os.path import lexists
from pathlib import Path
from urllib.parse import quote, unquote

from meshc.disk.files import (
    drop_empty,
    files_of,
    listed,
    make_folders,
    opened,
    own_folder,
    quoted,
    read,
    reason,
    remove,
    sync,
    telling,
    write_new,
)
from meshc.errors import RefusedError, ToolError
from meshc.tree import HEADER, FileTree


def foreign(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """The paths of the files that are somebody's: meshc didn't write them, nor did a power cut make them blank."""
    return tuple(path for path in unmarked(files) if files[path].strip(b"\0") or not path.endswith(".yaml"))


def unmarked(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """The paths of the files that don't begin as those do that meshc writes."""
    return tuple(path for path, data in files.items() if not data.startswith((HEADER, _HEADER_WITH_CRLF)))


_HEADER_WITH_CRLF = HEADER.replace(b"\n", b"\r\n")  # Git on Windows, where no .gitattributes says otherwise


def is_ours(files: Mapping[str, bytes]) -> bool:
    return len(unmarked(files)) < len(files)


def refuse_foreign(folders: Iterable[Mapping[str, bytes]]) -> None:
    found = sorted(path for files in folders for path in foreign(files))
    if found:
        raise RefusedError(
            f"{listed(found)} where meshc is to write, but not made by meshc; nothing was changed; "
            "move what is yours out of there, for example into a folder that mesh.yaml names"
        )


def recover(base: Path) -> bool:
    """Finishes what a killed run left; True if there was something. To be called at each start.

    Raises RefusedError if another meshc is writing, or if a foreign file has since come in the way.
    """
    if not lexists(base / ".meshc" / "transaction"):
        return False
    with writing(base) as recovered:
        return recovered


@contextmanager
def writing(base: Path) -> Iterator[bool]:
    """The right to write below `base`, once what a killed run left is settled: True if it left any."""
    with telling('cannot lock ".meshc/lock"'):
        fd = os.open(own_folder(base) / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        with telling('cannot lock ".meshc/lock"'):
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(fd, 20, 0).decode("ascii", "replace")
                raise RefusedError(f"another meshc is writing here (process {holder}); wait until it is done") from None
            os.ftruncate(fd, 0)
            os.pwrite(fd, str(os.getpid()).encode(), 0)
        with telling("cannot finish what an interrupted meshc left in .meshc", "; the next one tries again"):
            recovered = _recover(base)
        yield recovered
    finally:
        os.close(fd)  # releases the lock; the file stays, or two runs could hold two of them


@dataclass(frozen=True, slots=True)
class _Move:
    """One unit on its way: where it belongs, and where the old one and the new one wait."""

    target: Path
    old: Path
    new: Path
    arrives: bool  # False: the unit is removed

    @staticmethod
    def of(base: Path, unit: str, arrives: bool) -> _Move:
        folder = base / ".meshc" / "transaction"
        name = quote(unit, safe="")  # flat, so that what waits can be put back even if the journal is lost
        return _Move(base / unit, folder / "old" / name, folder / "new" / name, arrives)

    def forward(self) -> None:
        """From wherever it was left to the end. May be killed anywhere and called again."""
        if self.arrives and not lexists(self.new):
            self.put_back()  # nothing to do, unless somebody removed the unit in the meantime
            return
        if lexists(self.target):
            remove(self.old)
            self.target.rename(self.old)
        if self.arrives:
            make_folders(self.target.parent)
            self.new.rename(self.target)

    def back(self) -> None:
        """From wherever it was left to the start. Only right once everything is staged."""
        if self.arrives and lexists(self.target) and not lexists(self.new):
            self.target.rename(self.new)
        self.put_back()

    def put_back(self) -> None:
        if lexists(self.old) and not lexists(self.target):
            make_folders(self.target.parent)
            self.old.rename(self.target)


def apply(
    base: Path,
    changes: Mapping[str, Mapping[str, bytes]],
    current: Mapping[str, Mapping[str, bytes]],
    *,
    generated: bool = True,
) -> None:
    moves = {unit: _Move.of(base, unit, arrives=bool(files)) for unit, files in changes.items()}
    journal = base / ".meshc" / "transaction" / "journal.json"
    unit = ".meshc/transaction"
    try:
        for name in ("old", "new"):
            own_folder(base, "transaction", name)
        for unit, move in moves.items():
            _stage(base, unit, str(move.new), changes[unit], current[unit], safe=not generated)
        write_new(journal.with_suffix(".tmp"), _journal(moves, generated))
        journal.with_suffix(".tmp").replace(journal)
        sync(journal.parent)
        for unit in moves:
            moves[unit].forward()
    except BaseException as error:
        try:
            _undo(base, moves.values(), journal)
        except OSError as second:
            raise ToolError(
                f"cannot write {quoted(unit)}: {reason(error)}, and the old files could not be put back: "
                f"{reason(second)}; the next meshc command will finish this"
            ) from error
        if isinstance(error, OSError):
            raise ToolError(f"cannot write {quoted(unit)}: {reason(error)}; nothing was changed") from error
        raise
    with suppress(OSError):  # the work is done; what stays behind is for the next start
        _finish(base, moves.values(), journal)


def _stage(
    base: Path, unit: str, new: str, files: Mapping[str, bytes], current: Mapping[str, bytes], *, safe: bool
) -> None:
    """Puts the files of a unit where the new one waits. Those that stay as they are get a second link."""
    folders: set[str] = set()
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


def _journal(moves: Mapping[str, _Move], generated: bool) -> bytes:
    units = {unit: move.arrives for unit, move in moves.items()}
    return json.dumps({"generated": generated, "units": units}).encode()


def _undo(base: Path, moves: Iterable[_Move], journal: Path) -> None:
    if lexists(journal):  # else nothing has moved yet
        for move in reversed([*moves]):
            move.back()
        journal.unlink()  # first: what is half deleted must not be finished
    remove(journal.parent)
    for move in moves:
        drop_empty(base, move.target.parent)


def _finish(base: Path, moves: Iterable[_Move], journal: Path) -> None:
    for move in moves:
        drop_empty(base, move.target.parent)
    for name in ("new", "old"):
        remove(journal.parent / name)
    journal.unlink(missing_ok=True)  # last: while there is one, what lies in `old` is known to be done with
    shutil.rmtree(journal.parent)


def _recover(base: Path) -> bool:
    if not lexists(base / ".meshc" / "transaction"):
        return False
    old, new = (own_folder(base, "transaction", name) for name in ("old", "new"))
    journal = old.parent / "journal.json"
    moves, generated = _read_journal(base, journal)
    if moves is None or (generated and unmarked(files_of(base, new.relative_to(base).as_posix()))):
        # Nobody knows what was meant: put back what has no other copy. The next compile does the rest.
        lost = {unquote(kept.name): kept for kept in old.iterdir()}
        moves = {unit: _Move.of(base, unit, arrives=False) for unit in lost if _is_path(unit)}
        for move in moves.values():
            move.put_back()
        _undo(base, (), journal)
        return True
    standing = {unit: files_of(base, unit) for unit in moves}  # also refuses links on the way there
    pending = {u: m for u, m in moves.items() if _is_pending(m, standing[u], generated)}
    if generated:
        refuse_foreign(standing[unit] for unit in pending)
    for unit, move in moves.items():
        if unit in pending or move.arrives:
            move.forward()
    _finish(base, moves.values(), journal)
    return True


def _is_pending(move: _Move, standing: Mapping[str, bytes], generated: bool) -> bool:
    if move.arrives:
        return lexists(move.new)
    return is_ours(standing) if generated else bool(standing) and not lexists(move.old)


def _read_journal(base: Path, journal: Path) -> tuple[dict[str, _Move] | None, bool]:
    """The moves, and whether they are of generated units. None if there is no journal, or none that can be trusted."""
    try:
        with opened(base, base, journal.relative_to(base).as_posix()) as fd:
            found = json.loads(read(fd)) if fd is not None else None
    except (ValueError, RecursionError):
        return None, True
    units = found.get("units") if isinstance(found, dict) else None
    generated = not (isinstance(found, dict) and found.get("generated") is False)
    if not isinstance(units, dict) or not all((is_unit if generated else _is_path)(unit) for unit in units):
        return None, True
    return {unit: _Move.of(base, unit, arrives is True) for unit, arrives in units.items()}, generated


def is_unit(unit: str) -> bool:
    return _is_path(unit) and not any(part.startswith(".") for part in unit.split("/"))


_HIDDEN = (".sops.yaml",)  # the only file with such a name that a command writes


def _is_path(path: str) -> bool:
    try:
        FileTree({path: b""})
    except ValueError:
        return False
    return path in _HIDDEN or not path.startswith(".")

"""Changes the content of folders and files: all of them, or none.

A generated unit is one folder (`overlays/hub`) or one file (`output/_meshc.yaml`); each of its files begins with the
header. The user's files are changed one by one, and only if they are unchanged since they were read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from meshc.disk.files import files_of, is_folder, listed, opened, read, telling
from meshc.disk.journal import is_unit, is_users
from meshc.disk.marked import is_ours, refuse_foreign, unmarked
from meshc.disk.state import State
from meshc.disk.transaction import apply, writing
from meshc.errors import RefusedError
from meshc.tree import FileTree


@dataclass(frozen=True, slots=True)
class Written:
    """The changes that `replace` made, by unit. Units that it doesn't name were up to date."""

    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def generated(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files below overlays/ and output/ that are in a unit with a file of meshc."""
    unit_of = {path: tuple(path.split("/")[:2]) for path in files}
    ours = {unit_of[path] for path in files.keys() - set(unmarked(files))}
    return {path: data for path, data in files.items() if unit_of[path] in ours}


def replace(base: Path, state: State, units: Mapping[str, FileTree | bytes | None]) -> Written:
    """Writes the given content of every unit (None removes the unit): all of them, or none.

    A unit that is up to date isn't changed, and a unit without any file of meshc isn't removed. Raises RefusedError if
    a unit has a file that meshc didn't write, or if another meshc is writing, and ToolError if the disk fails; then
    nothing has changed. Every new file must start with HEADER.
    """
    _refuse_misuse(units)
    with writing(base, state):
        current, changes = _changes(base, units)
        if changes:
            apply(base, state, changes, current)
    return Written(
        created=tuple(unit for unit in changes if not current[unit]),
        changed=tuple(unit for unit in changes if changes[unit] and current[unit]),
        removed=tuple(unit for unit in changes if not changes[unit]),
    )


def refuse_foreign_in(base: Path, units: Mapping[str, FileTree | bytes | None]) -> None:
    """Raises RefusedError for a file that meshc didn't write, as `replace` would."""
    _changes(base, units)


def _changes(base: Path, units: Mapping[str, FileTree | bytes | None]) -> tuple[_Files, _Files]:
    """The current files of every unit, and the new files of units that change."""
    with telling("cannot read the generated files"):
        for parent in sorted({str(PurePosixPath(unit).parent) for unit in units} - {"."}):
            with opened(base, base, parent) as fd:
                refuse_foreign([] if fd is None or is_folder(fd) else [{parent: read(fd)}])
        current = {unit: files_of(base, unit) for unit in units}
    wanted = {unit: _spread(unit, content) for unit, content in units.items()}
    changes = {
        unit: files for unit, files in wanted.items() if files != current[unit] and (files or is_ours(current[unit]))
    }
    refuse_foreign(current[unit] for unit in changes)
    return current, changes


_Files = dict[str, dict[str, bytes]]


def change(base: Path, state: State, files: Mapping[str, Change]) -> None:
    """Changes the user's files below `base`: all of them, or none. Only for commands whose purpose this is.

    Raises RefusedError if a file was changed since it was read, or if another meshc is writing, and ToolError if the
    disk fails; then nothing has changed.
    """
    FileTree(dict.fromkeys(files, b""))  # raises ValueError if one lies in another, or outside
    if strange := sorted(path for path in files if not is_users(path)):
        raise RefusedError(
            f"{listed(strange)} not a place where meshc writes files; nothing was changed",
            "name another folder in mesh.yaml, one that does not begin with .git or .meshc",
        )
    with writing(base, state):
        with telling("cannot read the files to change"):
            current = {path: files_of(base, path) for path in files}
        stale = [path for path, one in files.items() if current[path] != _as_files(path, one.before)]
        if stale:
            raise RefusedError(
                f"{listed(sorted(stale))} changed in the meantime; nothing was written; run the command again"
            )
        changes = {path: _as_files(path, one.after) for path, one in files.items() if one.before != one.after}
        if changes:
            apply(base, state, changes, current, generated=False)


@dataclass(frozen=True, slots=True)
class Change:
    """The old and the new content of a file; None if there is no file."""

    before: bytes | None
    after: bytes | None


def _as_files(path: str, data: bytes | None) -> dict[str, bytes]:
    return {} if data is None else {path: data}


def _spread(unit: str, content: FileTree | bytes | None) -> dict[str, bytes]:
    """The files of a unit, so that a folder, a file and a missing unit can be compared in the same way."""
    return {unit: content} if isinstance(content, bytes) else dict((content or FileTree({})).at(unit))


def _refuse_misuse(units: Mapping[str, FileTree | bytes | None]) -> None:
    FileTree(dict.fromkeys(units, b""))  # raises ValueError if one lies in another
    for unit, content in units.items():
        if not is_unit(unit):
            raise ValueError(f"{unit!r} is not the path of a generated unit")
        for path in unmarked(_spread(unit, content)):
            raise ValueError(f"{path!r} doesn't start with the header, so the next compile would refuse it")

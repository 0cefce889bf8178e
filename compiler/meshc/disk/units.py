"""Changes the content of folders and files: all of them, or none.

A generated unit is one folder (`overlays/hub`) or one file (`output/_meshc.yaml`), every file of which begins with the
header. The user's files are changed one by one, and only if they are what they were when they were read.
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
    """What `replace` did, by unit. Units it was given and doesn't name were as they should be."""

    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def generated(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Those files below overlays/ and output/ that are in a unit with one of meshc's files."""
    unit_of = {path: tuple(path.split("/")[:2]) for path in files}
    ours = {unit_of[path] for path in files.keys() - set(unmarked(files))}
    return {path: data for path, data in files.items() if unit_of[path] in ours}


def replace(base: Path, state: State, units: Mapping[str, FileTree | bytes | None]) -> Written:
    """Brings every unit to the given content (None removes it): all of them, or none.

    A unit that is as it should be isn't touched, nor, when it is to be removed, one in which nothing is
    meshc's. Raises RefusedError if a file that isn't meshc's is in the way or another meshc is writing,
    and ToolError if the disk fails; everything is then as before. Every new file must start with HEADER.
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
    """Raises RefusedError if `replace` would, for a file that isn't meshc's."""
    _changes(base, units)


def _changes(base: Path, units: Mapping[str, FileTree | bytes | None]) -> tuple[_Files, _Files]:
    """What stands in every unit, and what is to stand in those that change."""
    with telling("cannot read what was generated before"):
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
    """Brings the user's files, whose paths lie below `base`, to new content: all of them, or none.

    For commands whose job it is. Raises RefusedError if one isn't what it was when it was read, or another meshc is
    writing, and ToolError if the disk fails; everything is then as before.
    """
    FileTree(dict.fromkeys(files, b""))  # raises ValueError if one lies in another, or outside
    if strange := sorted(path for path in files if not is_users(path)):
        raise RefusedError(
            f"{listed(strange)} not where meshc writes a file; nothing was changed",
            "name another folder in mesh.yaml, one that does not begin with .git or .meshc",
        )
    with writing(base, state):
        with telling("cannot read what is to be changed"):
            current = {path: files_of(base, path) for path in files}
        stale = [path for path, one in files.items() if current[path] != _as_files(path, one.before)]
        if stale:
            raise RefusedError(f"{listed(sorted(stale))} changed in the meantime; nothing was changed; run it again")
        changes = {path: _as_files(path, one.after) for path, one in files.items() if one.before != one.after}
        if changes:
            apply(base, state, changes, current, generated=False)


@dataclass(frozen=True, slots=True)
class Change:
    """A file as it was read and as it shall be; None where there is none."""

    before: bytes | None
    after: bytes | None


def _as_files(path: str, data: bytes | None) -> dict[str, bytes]:
    return {} if data is None else {path: data}


def _spread(unit: str, content: FileTree | bytes | None) -> dict[str, bytes]:
    """A unit as the files it is made of, so that a folder, a file and nothing compare alike."""
    return {unit: content} if isinstance(content, bytes) else dict((content or FileTree({})).at(unit))


def _refuse_misuse(units: Mapping[str, FileTree | bytes | None]) -> None:
    FileTree(dict.fromkeys(units, b""))  # raises ValueError if one lies in another
    for unit, content in units.items():
        if not is_unit(unit):
            raise ValueError(f"{unit!r} is not the path of a generated unit")
        for path in unmarked(_spread(unit, content)):
            raise ValueError(f"{path!r} doesn't start with the header, so the next compile would refuse it")

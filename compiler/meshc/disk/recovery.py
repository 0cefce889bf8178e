"""Recovers from an interrupted run: finishes its changes, undoes them, or refuses with a reason.

Only the journal decides, and only files with a digest in the journal are moved into place.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os.path import lexists
from pathlib import Path
from urllib.parse import quote

from meshc.disk.files import drop_empty, files_of, listed, make_folders, own_folder, quoted, remove, telling
from meshc.disk.journal import Planned, digest, parsed
from meshc.disk.marked import refuse_foreign
from meshc.disk.state import WORK, State
from meshc.errors import RefusedError

TRANSACTION = f"{WORK}/transaction"


@dataclass(frozen=True, slots=True)
class Move:
    """The paths of one unit: its target, and the places of its old and new content."""

    target: Path
    old: Path
    new: Path
    arrives: bool  # False: the unit is removed

    @staticmethod
    def of(base: Path, unit: str, arrives: bool) -> Move:
        """The move of the unit at this path, relative to `base`."""
        old, new = (base / place(part, unit) for part in ("old", "new"))
        return Move(base / unit, old, new, arrives)

    def forward(self) -> None:
        """Completes the move, from any state. May be killed at any point and called again."""
        if self.arrives and not lexists(self.new):
            return  # it has arrived
        if lexists(self.target):
            remove(self.old)
            self.target.rename(self.old)
        if self.arrives:
            make_folders(self.target.parent)
            self.new.rename(self.target)

    def back(self) -> None:
        """Undoes the move, from any state. Correct only after everything is staged."""
        if self.arrives and lexists(self.target) and not lexists(self.new):
            self.target.rename(self.new)
        if lexists(self.old) and not lexists(self.target):
            make_folders(self.target.parent)
            self.old.rename(self.target)


def place(part: str, unit: str) -> str:
    """The path of a unit's staged content, relative to the folder of mesh.yaml. `part` is old or new."""
    return f"{TRANSACTION}/{part}/{quote(unit, safe='')}"


def is_waiting(state: State) -> bool:
    """True if there is an interrupted run to recover. Only reads."""
    with telling(f"cannot read {quoted(f'{state.shown}/{state.journal.name}')}", ""):
        return state.read_journal() is not None


def recover(base: Path, state: State) -> bool:
    """Recovers from a killed run; True if there was one. The caller must hold the lock.

    Raises RefusedError if a recovery would lose what somebody wrote later, and OSError.
    """
    data = state.read_journal()
    if data is None:
        _clear_unclaimed(base, state)
        return False
    for name in ("old", "new"):
        own_folder(base, "transaction", name)
    journal = parsed(data)
    if journal is None:
        raise RefusedError(
            f'"{state.shown}/journal.json" is damaged, so meshc doesn\'t know what an interrupted run was changing',
            f"copy files that are missing elsewhere from {TRANSACTION}/old, then run: {_forget(state)}",
        )
    found = {unit: _Standing.of(base, unit, planned) for unit, planned in journal.units.items()}
    if journal.generated:
        refuse_foreign(files_of(base, unit) for unit, standing in found.items() if not standing.has_arrived)
    moves = {unit: Move.of(base, unit, arrives=planned.after is not None) for unit, planned in journal.units.items()}
    for unit, goes_on in _directions(found, state, generated=journal.generated).items():
        if goes_on:
            moves[unit].forward()
        else:
            moves[unit].back()
    finish(base, state, moves)
    return True


def _directions(found: Mapping[str, _Standing], state: State, *, generated: bool) -> dict[str, bool]:
    """The units to move: True completes the run, False undoes it. Raises RefusedError if neither is possible."""
    if all(standing.can_arrive or (generated and standing.is_staged) for standing in found.values()):
        return {unit: True for unit, standing in found.items() if not standing.has_arrived}
    if all(standing.can_return for standing in found.values()):
        return {unit: False for unit, standing in found.items() if not standing.has_returned}
    if generated:  # a power cut left a file blank: the next compile writes it again
        return {unit: False for unit, standing in found.items() if standing.was_set_aside}
    changed = sorted(unit for unit, standing in found.items() if not (standing.can_arrive or standing.can_return))
    raise RefusedError(
        f"{listed(changed or sorted(found))} not what an interrupted run left; nothing was changed",
        "restore them, for example from the last commit, and run this command again; or keep them as they are "
        f"now: {_forget(state)}",
    )


def _forget(state: State) -> str:
    return f"rm -r {state.shown}/journal.json {TRANSACTION}"


@dataclass(frozen=True, slots=True)
class _Standing:
    """The state of a unit: how far its move is, and whether the files for completing or undoing it exist."""

    has_arrived: bool
    has_returned: bool
    is_staged: bool
    can_arrive: bool
    can_return: bool
    was_set_aside: bool

    @classmethod
    def of(cls, base: Path, unit: str, planned: Planned) -> _Standing:
        """Examines the unit and its staged content. Raises IrregularError for a link in them."""
        there = digest(files_of(base, unit))
        old, new = (_waiting(base, place(part, unit), unit) for part in ("old", "new"))
        before, after = planned.before, planned.after
        staged = after is None or new == after
        gone = there is None and old == before
        return cls(
            has_arrived=there == after,
            has_returned=there == before,
            is_staged=staged,
            can_arrive=there == after or (there in (None, before) and staged),
            can_return=there == before or gone or (there == after and new is None and old == before),
            was_set_aside=gone and before is not None,
        )


def _waiting(base: Path, path: str, unit: str) -> str | None:
    """The digest of the staged content at `path`, as if it were at `unit`."""
    return digest({unit + name.removeprefix(path): data for name, data in files_of(base, path).items()})


def finish(base: Path, state: State, units: Iterable[str]) -> None:
    """Removes the staged and old content, and the journal last: as long as the journal exists, the old content isn't
    needed any more."""
    for unit in units:
        drop_empty(base, (base / unit).parent)
    for part in ("new", "old"):
        remove(base / TRANSACTION / part)
    state.journal.unlink(missing_ok=True)
    clear(base, state)


def clear(base: Path, state: State) -> None:
    """Removes the folder of staged content, and also .meshc if it is then empty."""
    if (base / WORK).is_symlink() or not (base / WORK).is_dir():
        return
    remove(base / TRANSACTION)
    if state.in_git and [path.name for path in (base / WORK).iterdir()] == [".gitignore"]:
        shutil.rmtree(base / WORK)


def _clear_unclaimed(base: Path, state: State) -> None:
    """Removes the content that a killed run had staged. Never removes old content."""
    if not lexists(base / TRANSACTION):
        return
    own_folder(base, "transaction")
    if files_of(base, f"{TRANSACTION}/old"):
        raise RefusedError(
            f'"{TRANSACTION}/old" has files, but there is no journal for them; nothing was changed',
            f"copy files that are missing elsewhere from there, then run: rm -r {TRANSACTION}",
        )
    clear(base, state)

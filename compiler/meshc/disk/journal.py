"""Writes and reads the journal of a transaction, and accepts only journals that meshc could have written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from meshc.disk.digest import digest_of
from meshc.tree import FileTree

_GENERATED = re.compile(r"(overlays|output)/[^/.][^/]*")
_USERS = re.compile(r"(?:(?!\.git|\.meshc)[^/]+/)*(?!\.git|\.meshc)[^/]+\.(?:yaml|yml|pem|tgz)")
"""Patterns for mesh.yaml, manifests, certificates, sealed files, charts and their lock file, and .sops.yaml. None
matches a program."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The digests of the old and the new content of a path; None if there is no content."""

    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Journal:
    """All changes of one transaction: generated units, or the user's files."""

    generated: bool
    units: Mapping[str, Planned]

    @classmethod
    def of(
        cls, before: Mapping[str, Mapping[str, bytes]], after: Mapping[str, Mapping[str, bytes]], *, generated: bool
    ) -> Journal:
        """The journal of a transaction, from the files of each unit."""
        units = {unit: Planned(digest(before[unit]), digest(files)) for unit, files in after.items()}
        return cls(generated, units)

    def to_bytes(self) -> bytes:
        """The text of the journal's file."""
        units = {unit: asdict(planned) for unit, planned in self.units.items()}
        return json.dumps({"generated": self.generated, "units": units}).encode()


def parsed(data: bytes) -> Journal | None:
    """Parses a journal; None if it isn't valid, or names a path that no command of meshc writes."""
    try:
        found = json.loads(data)
        generated, units = found["generated"], found["units"]
        journal = Journal(generated is True, {unit: Planned(**planned) for unit, planned in units.items()})
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None
    allowed = is_unit if journal.generated else is_users
    digests = [one for planned in journal.units.values() for one in (planned.before, planned.after)]
    whole = all(map(allowed, journal.units)) and all(map(_is_digest, digests)) and isinstance(generated, bool)
    return journal if whole else None


def digest(files: Mapping[str, bytes]) -> str | None:
    """The digest of a unit's files and their paths, so a folder and a file never have the same digest."""
    return digest_of(files) if files else None


def is_unit(path: str) -> bool:
    """True for a unit that a compile generates: a folder or file right below overlays/ or output/."""
    return _GENERATED.fullmatch(path) is not None and _is_path(path)


def is_users(path: str) -> bool:
    """True for a path that a command may write outside of overlays/ and output/."""
    return _USERS.fullmatch(path) is not None and _is_path(path)


def _is_path(path: str) -> bool:
    try:
        FileTree({path: b""})
    except ValueError:
        return False
    return True


def _is_digest(value: Any) -> bool:
    return value is None or (isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None)

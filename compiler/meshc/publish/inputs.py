"""Checks whether a commit contains the same inputs that a compile read."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshc.disk.matching import fitting
from meshc.disk.repository import Kind, Repository

if TYPE_CHECKING:
    from meshc.publish.workshop import Entry


@dataclass(frozen=True)
class Watched(Repository):
    """A repository that records which files and folders are read. Paths are relative to `root`."""

    files: dict[str, bytes] = field(default_factory=dict, repr=False)
    folders: dict[str, frozenset[str]] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    patterns: dict[str, frozenset[str]] = field(default_factory=dict)
    """The files that match each pattern."""

    @staticmethod
    def over(repository: Repository) -> Watched:
        """The same repository, recorded from now on."""
        return Watched(repository.base, repository.root)

    def read_file(self, relative: str) -> bytes:
        data = super().read_file(relative)
        self.files[self._from_top(relative)] = data
        return data

    def kind(self, relative: str) -> Kind:
        kind = super().kind(relative)
        if kind is None:
            self.absent.add(self._from_top(relative))
        return kind

    def list_files(self, relative: str) -> tuple[str, ...]:
        found = super().list_files(relative)
        self.folders[self._from_top(relative)] = frozenset(map(self._from_top, found))
        return found

    def match_files(self, pattern: str) -> tuple[str, ...]:
        found = super().match_files(pattern)
        self.patterns[self._from_top(pattern)] = frozenset(map(self._from_top, found))
        return found

    def _from_top(self, relative: str) -> str:
        return posixpath.normpath(posixpath.join(self.base.relative_to(self.root).as_posix(), relative))

    def uncommitted(self, commit: Mapping[str, Entry], digest: str) -> list[str]:
        """The inputs that differ in a commit, also missing ones; different line ends are no difference."""
        found = [path for path, data in self.files.items() if not _is(commit.get(path), data, digest)]
        found += [path for path in self.absent if path in commit]
        for folder, names in self.folders.items():
            found += [path for path in commit if _below(path, folder) and path not in names]
        for pattern, names in self.patterns.items():
            found += [path for path in fitting(commit, pattern) if path not in names]
        return sorted({*found})

    def same(self, one: Mapping[str, Entry], other: Mapping[str, Entry]) -> bool:
        """True if two commits have the same content for everything that was read."""
        folders = [*self.folders]
        read = {*self.files, *self.absent}
        read |= {path for path in {*one, *other} if any(_below(path, folder) for folder in folders)}
        read |= {path for pattern in self.patterns for path in fitting({*one, *other}, pattern)}
        return all(one.get(path) == other.get(path) for path in read)


def _below(path: str, folder: str) -> bool:
    rest = path if folder == "." else path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else ""
    return bool(rest) and not any(part.startswith(".") for part in rest.split("/"))


def _is(entry: Entry | None, data: bytes, digest: str) -> bool:
    if entry is None or not entry.is_file:
        return False
    return entry.name in (_named(data, digest), _named(data.replace(b"\r\n", b"\n"), digest))


def _named(data: bytes, digest: str) -> str:
    """The name that Git gives a file's content."""
    return hashlib.new(digest, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

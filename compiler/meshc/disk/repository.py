"""Reads the paths that mesh.yaml names, and writes the compiled trees beside it."""

from __future__ import annotations

import errno
import os
import posixpath
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os.path import lexists
from pathlib import Path
from typing import Literal, Self

from meshc.disk import cache, recovery, units
from meshc.disk.files import (
    IrregularError,
    OutsideError,
    drop_empty,
    files_of,
    is_folder,
    listed,
    make_folders,
    opened,
    quoted,
    read,
    telling,
    walk,
    write_new,
)
from meshc.disk.matching import files_that_fit
from meshc.disk.state import State
from meshc.disk.transaction import refuse_another_writer, writing
from meshc.disk.units import Change, Written
from meshc.errors import RefusedError
from meshc.tree import FileTree

Kind = Literal["file", "folder"] | None
"""The kind of an entry at a path."""
LARGEST_INPUT = 16 * 1024 * 1024
"""The largest file that `read_file` reads, in bytes."""

_DETOURS = frozenset(("", ".", ".."))

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""The first bytes of a file that Git LFS hasn't downloaded: docs/spec.md of git-lfs."""


def enclosing(base: Path) -> Path:
    """The top of the Git repository around `base`, or `base` if there is none. Runs no git."""
    return next((folder for folder in (base, *base.parents) if (folder / ".git").exists()), base)


@dataclass(frozen=True, slots=True)
class Repository:
    """The folder of mesh.yaml (`base`) in its repository (`root`), both real paths.

    All paths in arguments and results are relative to `base`, with / between their parts. Without `cached`, it doesn't
    use the cache.
    """

    base: Path
    root: Path
    cached: bool = True

    @classmethod
    def around(cls, base: Path, *, cached: bool = True) -> Self:
        """The repository that contains `base`."""
        return cls(base.resolve(), enclosing(base.resolve()), cached)

    @property
    def state(self) -> State:
        """Where meshc keeps its lock, its journal and its cache."""
        return State.of(self.base, self.root)

    @property
    def from_top(self) -> str | None:
        """The path of `base` from the top of its Git repository, `.` at the top itself; None outside of a
        repository."""
        return self.base.relative_to(self.root).as_posix() if (self.root / ".git").exists() else None

    def locate(self, relative: str) -> str:
        """`relative`, normalized. Raises OutsideError if it leaves the repository. Doesn't access the disk."""
        shown = quoted(relative)
        if not relative:
            raise OutsideError("the path is empty")
        if not relative.isprintable():
            raise OutsideError(f"{shown} contains a control character")
        if "\\" in relative:
            raise OutsideError(f"{shown} contains a backslash; separate folders by /")
        if relative.startswith("/"):
            raise OutsideError(f"{shown} is absolute; write it relative to the file that contains it")
        if _DETOURS.isdisjoint(relative.split("/")) and ".git" not in f"{self.base}/{relative}".lower():
            return relative
        whole = posixpath.normpath(posixpath.join(self.base, relative))
        if posixpath.commonpath([whole, self.root]) != str(self.root):
            if (self.root / ".git").exists():
                raise OutsideError(f"{shown} leaves the repository")
            hint = "move the file beside mesh.yaml, or run git init in the folder that contains both"
            raise OutsideError(f"{shown} leaves the folder of mesh.yaml, which is in no Git repository", hint)
        if ".git" in posixpath.relpath(whole, self.root).lower().split("/"):
            raise OutsideError(f"{shown} belongs to Git itself")
        return posixpath.relpath(whole, self.base)

    def read_file(self, relative: str) -> bytes:
        """The bytes of an input file. Follows no link, and never waits for a pipe.

        Raises OutsideError, IrregularError, FileNotFoundError, and OSError if it can't be read.
        """
        path = self.locate(relative)
        with opened(self.root, self.base, path) as fd:
            if fd is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            if is_folder(fd):
                raise IrregularError(f"{quoted(path)} is a folder, not a file")
            data = read(fd, LARGEST_INPUT + 1)
        if len(data) > LARGEST_INPUT:
            raise IrregularError(f"{quoted(path)} is larger than {LARGEST_INPUT >> 20} MiB")
        if data.startswith(LFS_POINTER):
            raise IrregularError(f"{quoted(path)} is a pointer of Git LFS, not the file itself: git lfs pull")
        sys.audit("meshc.read", path, f"({len(data)} bytes)")
        return data

    def kind(self, relative: str) -> Kind:
        """The kind of the entry, None if there is none. Raises OutsideError, and IrregularError for a link."""
        with opened(self.root, self.base, self.locate(relative)) as fd:
            return None if fd is None else "folder" if is_folder(fd) else "file"

    def list_files(self, relative: str) -> tuple[str, ...]:
        """The files below a folder at any depth, sorted; names that start with a dot are ignored.

        Raises OutsideError, IrregularError for a link, FileNotFoundError or NotADirectoryError.
        """
        path = self.locate(relative)
        with opened(self.root, self.base, path) as fd:
            if fd is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            if not is_folder(fd):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
            return tuple(sorted(self.locate(name) for name, _ in walk(fd, path, hidden=False)))

    def match_files(self, pattern: str) -> tuple[str, ...]:
        """The files that match a pattern, sorted; `*` and `?` match characters within one name.

        Raises OutsideError, and IrregularError if a match is a link or a pipe.
        """
        return files_that_fit(self.root, self.base, self.locate(pattern))

    def read_generated(self, parents: Iterable[str]) -> FileTree:
        """The files in the units below `parents`, including files that meshc didn't write.

        A unit without any file of meshc belongs to the user and is left out. Raises IrregularError for any link.
        """
        files: dict[str, bytes] = {}
        for parent in parents:
            with telling(f"cannot read {quoted(parent)}", ""):
                files |= units.generated(files_of(self.base, parent))
        return FileTree(files)

    def create(self, files: FileTree) -> None:
        """Writes files that mustn't exist yet; on failure, none.

        Raises RefusedError, which names existing files, and ToolError if the disk fails. A killed run may leave some of
        the files.
        """
        taken = [path for path in files if self.kind(path)]
        if taken:
            raise RefusedError(f"{listed(taken)} already there; nothing was written")
        made: list[Path] = []
        try:
            for path, data in files.items():
                with telling(f"cannot write {quoted(path)}", "; nothing was written"):
                    make_folders((self.base / path).parent)
                    write_new(self.base / path, data)
                    made.append(self.base / path)
        except BaseException:
            for file in made:
                file.unlink()
            for path in files:
                drop_empty(self.base, (self.base / path).parent)
            raise

    def begin(self) -> None:
        """Creates the folder of mesh.yaml if it is missing, to write trees without a mesh.yaml."""
        with telling(f'cannot make "{self.base}"'):
            make_folders(self.base)

    def replace(self, content: Mapping[str, FileTree | bytes | None]) -> Written:
        """Writes the given content of every unit, all of them or none. See `units.replace`."""
        return units.replace(self.base, self.state, content)

    def refuse_foreign(self, content: Mapping[str, FileTree | bytes | None]) -> None:
        """Raises RefusedError for a file that meshc didn't write, as `replace` would. Changes nothing."""
        units.refuse_foreign_in(self.base, content)

    def change(self, files: Mapping[str, Change]) -> None:
        """Changes the user's files, all of them or none. See `units.change`."""
        units.change(self.base, self.state, files)

    def recover(self) -> bool:
        """Recovers from a killed run; True if there was one. Commands that write call it before they read.

        Raises RefusedError if another meshc is writing, or if a recovery isn't possible; ToolError if the disk fails.
        """
        state = self.state
        if not (recovery.is_waiting(state) or lexists(self.base / recovery.TRANSACTION)):
            return False
        with writing(self.base, state) as recovered:
            return recovered

    def refuse_interrupted(self) -> None:
        """Raises RefusedError if another meshc is writing, or if there is an interrupted run. For commands that only
        read."""
        if recovery.is_waiting(self.state):
            refuse_another_writer(self.state)
            raise RefusedError(
                "an earlier meshc was interrupted while it wrote, so some files are old and some new",
                "run meshc compile: it completes or undoes the interrupted run",
            )

    def cache_get(self, key: str) -> bytes | None:
        """The bytes that `cache_put` stored under `key`; None if the entry is missing or damaged."""
        found = cache.get(self.state, key) if self.cached else None
        sys.audit("meshc.cache", "has" if found is not None else "lacks", key)
        return found

    def cache_put(self, key: str, data: bytes) -> None:
        """Stores `data` in the cache, if possible."""
        if self.cached:
            cache.put(self.state, key, data)

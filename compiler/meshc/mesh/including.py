"""Reads the parts that `spec.include` of mesh.yaml names, and reports problems with them."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from meshc import codes
from meshc.disk.files import IrregularError, OutsideError
from meshc.disk.matching import steady
from meshc.mesh.known_keys import known_keys
from meshc.mesh.model import Include
from meshc.mesh.model import Part as Shape
from meshc.mesh.parse import entries_of, faults_of_frame
from meshc.mesh.parts import LISTS, Part
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.errors import Code, Path, Place, Problem
    from meshc.yamltext.document import Document

MOST_PARTS = 1000
MOST_BYTES, MOST_VALUES = 16 << 20, 1_000_000
_AT: Path = ("spec", "include")


class Files(Protocol):
    """Where parts are read: the folder of mesh.yaml in a work tree, or in a commit."""

    @property
    def from_top(self) -> str | None:
        """The folder's path from the top of its Git repository; None outside a repository."""

    def match_files(self, pattern: str) -> Sequence[str]:
        """The files that match a pattern, sorted. Raises OutsideError, and IrregularError for a link among them."""

    def read_file(self, relative: str) -> bytes:
        """The bytes of a file. Raises IrregularError, FileNotFoundError, and OSError if it can't be read."""


def read_parts(
    document: Document, name: str, files: Files | None, shown: Callable[[str], str]
) -> tuple[tuple[Part, ...], tuple[Problem, ...]]:
    """The parts in the order of their entries, then by path.

    `name` is the name of mesh.yaml in its folder. No part is read unless all of `spec.include` is valid.
    """
    entries, faults = _entries(document)
    if faults or not entries:
        return (), tuple(faults)
    reading = _Reading(document, name, files, shown)
    for number, entry in enumerate(entries):
        reading.take(number, entry)
    return tuple(reading.parts), tuple(reading.problems)


def _entries(document: Document) -> tuple[list[Include], list[Problem]]:
    spec = document.data.get("spec") if isinstance(document.data, dict) else None
    listed = spec.get("include") if isinstance(spec, dict) else None
    if not isinstance(listed, tuple):
        return [], []  # other problems there are reported with the whole document
    return entries_of(document, _AT, listed, Include)


@dataclass
class _Reading:
    root: Document
    name: str
    files: Files | None
    shown: Callable[[str], str]
    parts: list[Part] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    by_path: dict[str, int] = field(default_factory=dict)
    size: int = 0
    values: int = 0

    def take(self, number: int, entry: Include) -> None:
        """Reads the files of an entry."""
        at: Path = (*_AT, number, "files")
        for path in self._found(entry.files, at):
            if path == posixpath.normpath(self.name):
                what = f'"{entry.files}" also matches {self.name} itself'
                self._report(codes.PART_TWICE, at, what, "put the parts into their own folder")
            elif path in self.by_path:
                what = f'"{path}" is included twice, so it isn\'t clear which entry applies to it'
                also = (self.root.place((*_AT, self.by_path[path], "files")),)
                self._report(codes.PART_TWICE, at, what, "remove it from one of the two", also)
            elif len(self.by_path) < MOST_PARTS:
                self.by_path[path] = number
                self._part(path, number, entry, at)
            else:
                what = f"more than {MOST_PARTS} files are included"
                self._report(codes.TOO_MUCH_INCLUDED, at, what, "merge some of them, or write a narrower pattern")
                return

    def _found(self, pattern: str, at: Path) -> Sequence[str]:
        try:
            found = self.files.match_files(pattern) if self.files else ()
        except OutsideError as error:
            hint = "write a path relative to mesh.yaml, to files inside the repository"
            self._report(codes.OUTSIDE, at, str(error), hint)
            return ()
        except IrregularError as error:
            self._irregular(error, at)
            return ()
        except OSError as error:
            self._unreadable(error.filename if isinstance(error, PermissionError) else pattern, error, at)
            return ()
        if not found:
            single = not steady(pattern)[1]
            what = f'"{pattern}" doesn\'t exist' if single else f'no file matches "{pattern}"'
            self._report(codes.FILE_MISSING, at, what, "correct the path, or remove the entry")
        return found

    def _part(self, path: str, number: int, entry: Include, at: Path) -> None:
        data = self._bytes(path, at)
        if data is None:
            return
        documents, problems = read(data, self.shown(path), strict=True)
        self.problems += problems
        if problems:
            return
        self.size += len(data)
        self.values += len(documents[0].values)
        if self.size > MOST_BYTES or self.values > MOST_VALUES:
            what = f"the parts up to this one have more than {MOST_BYTES >> 20} MiB, or {MOST_VALUES} values"
            self._report(
                codes.TOO_MUCH_INCLUDED,
                at,
                what,
                "include less, for example by writing equal settings once under overrides",
            )
            return
        part = Part(path, number, entry.may, data, documents[0])
        self.parts.append(part)
        self.problems += _faults(part, self.root)

    def _bytes(self, path: str, at: Path) -> bytes | None:
        try:
            return self.files.read_file(path) if self.files else None
        except FileNotFoundError:
            self._report(codes.FILE_MISSING, at, f'"{path}" doesn\'t exist', "correct the path, or add the file")
        except IrregularError as error:
            self._irregular(error, at)
        except OSError as error:
            self._unreadable(path, error, at)
        return None

    def _irregular(self, error: IrregularError, at: Path) -> None:
        said = str(error)
        link = "symbolic link" in said
        hint = "replace it with the file or folder itself" if link else "list only plain files"
        self._report(codes.SYMLINK if link else codes.FILE_UNREADABLE, at, said, hint)

    def _unreadable(self, path: str, error: OSError, at: Path) -> None:
        what = f'"{path}" can\'t be read: {error.strerror}'
        self._report(codes.FILE_UNREADABLE, at, what, "check its permissions")

    def _report(self, code: Code, at: Path, what: str, hint: str, also: tuple[Place, ...] = ()) -> None:
        self.problems.append(code.at(self.root.place(at), what, hint, path=self.root.name(at), also=also))


def _faults(part: Part, root: Document) -> Iterator[Problem]:
    """Problems of the top level of a part. Its entries are checked together with those of mesh.yaml."""
    document = part.document
    spec = document.data.get("spec") if isinstance(document.data, dict) else None
    outside = [key for key in (spec if isinstance(spec, dict) else {}) if key not in part.may]
    known = known_keys(("spec",))
    for key in outside:
        path: Path = ("spec", key)
        name = document.name(path)
        may = (*_AT, part.include, "may")
        if key in LISTS:
            what = f"{name}: mesh.yaml doesn't allow {key} in this file, only {', '.join(part.may)}"
            hint = f"add {key} to {root.name(may)} in mesh.yaml, or write the entries elsewhere"
        elif key == "include":
            what, hint = f"{name}: a part can't include other files", "write the entry into mesh.yaml"
        elif key in known:
            what, hint = f"{name}: {key} is a setting of the whole mesh", f"write {key} into mesh.yaml"
        else:
            continue
        yield codes.NOT_GRANTED.at(document.key_place(path), what, hint, path=name, also=(root.place(may),))
    for problem in faults_of_frame(document, Shape):
        if not any(problem.path == document.name(("spec", key)) for key in outside if key in (*LISTS, *known)):
            yield problem

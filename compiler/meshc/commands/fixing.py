"""Applies the fixes of problems in mesh.yaml, its parts and the user's files, if the right value is certain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from meshc import codes
from meshc.commands.edit import Edit
from meshc.commands.find_mesh import STDIN
from meshc.commands.opened import Opened
from meshc.commands.validate import validated
from meshc.disk.journal import is_users
from meshc.disk.repository import Repository
from meshc.disk.units import Change
from meshc.errors import MeshcError, ProblemsError, Rename, Rewrite, UsageError, stop_on
from meshc.scanning.guard import plaintext_in
from meshc.yamltext.rewrite import rewritten

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.errors import Problem
    from meshc.yamltext.document import Mark

_ROUNDS = 8
"""The maximum number of rounds, because a fix can reveal another problem."""


@dataclass(frozen=True, slots=True)
class Mended:
    """The files with changed text, and the renamed files as pairs of old and new name.

    `problems` are the problems before the fixes.
    """

    repository: Repository
    problems: tuple[Problem, ...]
    edits: tuple[Edit, ...]
    changes: Mapping[str, Change] = field(repr=False)
    renames: tuple[tuple[str, str], ...]

    @property
    def files(self) -> list[str]:
        """The files that change, by their paths in messages."""
        return [edit.file for edit in self.edits] + [before for before, _ in self.renames]

    def write(self) -> None:
        """Changes all files, or none. Raises MeshcError."""
        self.repository.change(self.changes)


@dataclass(frozen=True, slots=True)
class _Overlaid(Repository):
    """A repository in which some files have a new text or a new name."""

    texts: dict[str, bytes] = field(default_factory=dict)

    def read_file(self, relative: str) -> bytes:
        path = self.locate(relative)
        return self.texts[path] if path in self.texts else Repository.read_file(self, relative)


def mended(file: Path, repository: Repository) -> Mended:
    """The files after all fixes of all problems. Writes nothing. Raises MeshcError."""
    if file == STDIN:
        raise UsageError("mesh.yaml comes from standard input, so nothing can be written into it", "name it with -f")
    overlaid = _Overlaid(repository.base, repository.root, repository.cached)
    names: dict[str, str] = {}
    first: tuple[Problem, ...] | None = None
    for _ in range(_ROUNDS):
        problems = _problems(file, overlaid)
        first = problems if first is None else first
        if any(problem.code in _SECRETS for problem in problems):
            raise ProblemsError(problems)
        before = dict(overlaid.texts)
        names |= dict(_renames(file, problems))
        _rewrite(file, overlaid, problems)
        if overlaid.texts == before:
            break
    return _mended(file, repository, first or (), overlaid.texts, names)


_SECRETS = (codes.PLAINTEXT_SECRET, codes.PLAINTEXT)


def _problems(file: Path, repository: Repository) -> tuple[Problem, ...]:
    try:
        return validated(Opened(file, repository)).problems
    except ProblemsError as error:
        return tuple(error.problems)


def _rewrite(file: Path, repository: _Overlaid, problems: tuple[Problem, ...]) -> None:
    wanted: dict[str, dict[Mark, Rewrite]] = {}
    for problem in problems:
        path = _inside(file, problem.place.file)
        if isinstance(problem.fix, Rewrite) and path is not None:
            wanted.setdefault(path, {})[problem.place.line, problem.place.column] = problem.fix
    for path, rewrites in wanted.items():
        try:
            data = repository.read_file(path)
        except (MeshcError, OSError):
            continue  # kustomize's output isn't a file
        text = rewritten(data.decode(), rewrites).encode()
        if text != data:
            repository.texts[path] = text


def _renames(file: Path, problems: tuple[Problem, ...]) -> Iterator[tuple[str, str]]:
    for problem in problems:
        if isinstance(problem.fix, Rename):
            path, to = _inside(file, problem.place.file), _inside(file, problem.fix.to)
            if path is not None and to is not None:
                yield path, to


def _inside(file: Path, shown: str) -> str | None:
    """The path of a file from the folder of mesh.yaml; None for a file outside of it, or for a generated one."""
    folder = f"{file.parent.as_posix()}/"
    path = shown if folder == "./" else shown.removeprefix(folder)
    outside = PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts
    return None if outside or not is_users(path) else path


def _mended(
    file: Path,
    repository: Repository,
    problems: tuple[Problem, ...],
    texts: Mapping[str, bytes],
    names: Mapping[str, str],
) -> Mended:
    edits: list[Edit] = []
    changes: dict[str, Change] = {}
    for path, after in texts.items():
        before = repository.read_file(path)
        shown = (file.parent / path).as_posix()
        stop_on(plaintext_in(before, shown, codes.PLAINTEXT_SECRET))  # the changed text is shown to the user
        edits.append(Edit(shown, before, after))
        changes[path] = Change(before, after)
    renames = []
    for path, to in names.items():
        if list(names.values()).count(to) == 1:
            data = repository.read_file(path)
            changes |= {path: Change(data, None), to: Change(None, data)}
            renames.append(((file.parent / path).as_posix(), (file.parent / to).as_posix()))
    return Mended(repository, problems, tuple(edits), changes, tuple(renames))

"""The functions of `import meshc`: compile a mesh in memory, compare, check and write it. Nothing here prints."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from meshc.commands import check as checking
from meshc.commands.begin import begin_writing
from meshc.commands.compiling import compiled_whole, rendered_whole
from meshc.commands.diff import Comparison, compared
from meshc.commands.listener import Silent
from meshc.commands.opened import Opened
from meshc.disk.repository import Repository
from meshc.errors import Problem, ProblemsError, UsageError
from meshc.output.trees import OUTPUT, OVERLAYS, Outcome, Written, expected_tree, out_of_step, read_trees, write_trees
from meshc.tree import FileTree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshc.mesh.model import Mesh
    from meshc.pipeline import Compiled
    from meshc.plan.ir import Plan
    from meshc.review.stale import Stale

_LISTENER = Silent()


@dataclass(frozen=True)
class Compilation:
    """A valid mesh, with both trees as `compile` made them."""

    file: Path
    _opened: Opened = field(repr=False)
    _compiled: Compiled = field(repr=False)
    _rendered: Mapping[str, FileTree] = field(repr=False)

    @property
    def plan(self) -> Plan:
        """What mesh.yaml means, with every default filled in."""
        return self._compiled.plan

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Warnings and notices, in file order. Errors were raised by `compile`."""
        return self._compiled.problems

    @property
    def pending(self) -> tuple[str, ...]:
        """What clusters still need, one line each: credentials, sealed certificates."""
        return self._compiled.pending

    @property
    def overlays(self) -> FileTree:
        """The files of overlays/, by path from there."""
        return self._both.under(OVERLAYS)

    @property
    def output(self) -> FileTree:
        """The files of output/, by path from there."""
        return self._both.under(OUTPUT)

    @property
    def _both(self) -> FileTree:
        return expected_tree(self._compiled.layout, self._rendered, self._compiled.delivery)

    def stale(self) -> tuple[str, ...]:
        """The files of overlays/ and output/ that differ from the compiled ones, as paths relative to mesh.yaml.

        Reads the disk. `check` reports the reason for each. Raises RefusedError for trees that can't be read.
        """
        found = read_trees(self._opened.repository)
        return tuple(path for path, _ in out_of_step(found, self._both))

    def write(self) -> Written:
        """Writes both trees completely or not at all, and first finishes or undoes an interrupted run.

        Raises RefusedError for files that meshc didn't write, for trees of another mesh, and while another meshc
        writes; ToolError if the disk fails. In these cases, the trees don't change.
        """
        begin_writing(self._opened.repository, _LISTENER)
        outcome = Outcome(self._compiled.layout, self._rendered, self._compiled.delivery, self.plan.mesh)
        return write_trees(outcome, self._opened.repository, self._opened.kustomize.version, whole=True)


@dataclass(frozen=True, slots=True)
class Check:
    """The result of `check`.

    Everything is up to date if `stale` is empty. `stale` has each stale file with the reason, and the changed lines of
    mesh.yaml if Git knows them. `expiring` has a line for each root and CA that has expired or expires soon.
    """

    stale: tuple[Stale, ...]
    expiring: tuple[str, ...]
    pending: tuple[str, ...]
    problems: tuple[Problem, ...]


def compile(file: str | os.PathLike[str] = "mesh.yaml", *, jobs: int | None = None, cache: bool = True) -> Compilation:  # noqa: A001
    """Compiles a mesh in memory: reads, checks and renders everything.

    Changes nothing except the cache. `jobs` is the number of parallel kustomize processes; by default one for each
    processor. Raises ProblemsError with every error, UsageError if the file doesn't exist, and other MeshcErrors:
    ToolError if kustomize or helm is missing, RefusedError after an interrupted run.
    """
    opened = _open(file, cache=cache)
    compiled = compiled_whole(opened)
    rendered = rendered_whole(opened, compiled, jobs)
    return Compilation(_path(file), opened, compiled.with_problems(rendered.problems), rendered.trees)


def check(
    file: str | os.PathLike[str] = "mesh.yaml",
    *,
    against: str | None = None,
    jobs: int | None = None,
    cache: bool = True,
) -> Check:
    """Compares overlays/ and output/ with the compiled trees.

    Reads the clock. Changes nothing except the cache. `against` is a folder or a commit with the output/ to compare
    instead. Raises the same errors as `compile`.
    """
    opened = _open(file, cache=cache)
    found = checking.checked(opened, checking.Wanted(jobs, against=against))
    return Check(found.stale, found.ending, found.compiled.pending, found.compiled.problems)


def diff(compilation: Compilation, base: str | None = None, *, against: str | None = None) -> Comparison:
    """Compares the compiled output/ with that of a commit, object by object, and reports the dangers.

    `base` is a commit of this repository; by default the one where this branch left the default branch. `against` is a
    folder or a commit with output/, such as a checkout of a deploy repository. Raises UsageError if there is nothing to
    compare with, or if both are given.
    """
    if base is not None and against is not None:
        raise UsageError(
            "base is a commit of this repository, against the folder or commit of its output: name one of them"
        )
    made = compilation
    return compared(made._opened, made._compiled, made.output, base, against)


def load(file: str | os.PathLike[str] = "mesh.yaml") -> Mesh:
    """The mesh of mesh.yaml and its parts.

    Checks only these files and reads no others. Raises ProblemsError, UsageError.
    """
    mesh, problems = _open(file, cache=False).source.parsed()
    if mesh is None:
        raise ProblemsError(problems)
    return mesh


def _open(file: str | os.PathLike[str], *, cache: bool) -> Opened:
    path = _path(file)
    return Opened(path, Repository.around(path.parent, cached=cache), listener=_LISTENER)


def _path(file: str | os.PathLike[str]) -> Path:
    return Path(file)

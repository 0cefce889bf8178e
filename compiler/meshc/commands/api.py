"""What `import meshc` offers: compile a mesh in memory, compare, check and write it. Nothing here prints."""

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
from meshc.output.trees import OUTPUT, OVERLAYS, Written, expected_tree, out_of_step, read_trees, write_trees
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
    """A mesh that holds, with both trees as they should stand. Made by `compile`."""

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
        """What clusters still wait for, a line each: credentials, sealed certificates."""
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
        """The files of overlays/ and output/ that aren't as compiled, as paths beside mesh.yaml. Reads the disk.

        `check` tells what is the matter with each. Raises RefusedError for trees that can't be read.
        """
        found = read_trees(self._opened.repository)
        return tuple(path for path, _ in out_of_step(found, self._both))

    def write(self) -> Written:
        """Writes both trees, whole or not at all, and settles what an interrupted run left before.

        Raises RefusedError for files that aren't meshc's, for trees of another mesh, and while another meshc writes;
        ToolError if the disk fails. The trees are then as before.
        """
        begin_writing(self._opened.repository, _LISTENER)
        return write_trees(
            self._compiled.layout,
            self._rendered,
            self._compiled.delivery,
            self._opened.repository,
            self._opened.kustomize.version,
            self.plan.mesh,
            whole=True,
        )


@dataclass(frozen=True, slots=True)
class Check:
    """What `check` found. Everything is up to date if `stale` is empty.

    `stale` has each file with what is the matter with it, and the lines of mesh.yaml behind it where Git tells them.
    `expiring` has a line for each root and CA that has ended or is to be renewed.
    """

    stale: tuple[Stale, ...]
    expiring: tuple[str, ...]
    pending: tuple[str, ...]
    problems: tuple[Problem, ...]


def compile(file: str | os.PathLike[str] = "mesh.yaml", *, jobs: int | None = None, cache: bool = True) -> Compilation:  # noqa: A001
    """Compiles a mesh in memory: reads, checks and renders everything. Changes nothing but the cache.

    `jobs` kustomizes run at once; by default as many as there are processors. Raises ProblemsError with every error
    that was found, UsageError where there is no such file, and other MeshcErrors: ToolError where kustomize or helm is
    missing, RefusedError where an interrupted run waits to be settled.
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
    """Compares overlays/ and output/ with what would be compiled. Looks at the clock. Changes nothing but the cache.

    `against` is a folder, or a commit, that holds output/ instead. Raises as `compile` does.
    """
    opened = _open(file, cache=cache)
    found = checking.checked(opened, checking.Wanted(jobs, against=against))
    return Check(found.stale, found.ending, found.compiled.pending, found.compiled.problems)


def diff(compilation: Compilation, base: str | None = None, *, against: str | None = None) -> Comparison:
    """Compares output/ as compiled with that of a commit, by objects, and judges what the difference puts at risk.

    `base` is a commit of this repository; by default the one where this branch left the default branch. `against` is
    a folder or a commit that holds output/, such as a checkout of a deploy repository. Raises UsageError where there
    is nothing to compare with, and where both are given.
    """
    if base is not None and against is not None:
        raise UsageError("base is a commit of this repository, against where its output lies: name one of them")
    made = compilation
    return compared(made._opened, made._compiled, made.output, base, against)


def load(file: str | os.PathLike[str] = "mesh.yaml") -> Mesh:
    """What mesh.yaml and its parts say, checked by themselves: no other file is read.

    Raises ProblemsError, UsageError.
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

"""Reads the output/ of the commit or folder that a command compares with, and the mesh.yaml behind it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meshc.commands.compiling import compiled_whole, expected_trees
from meshc.commands.opened import Opened
from meshc.commands.published import published_side
from meshc.disk.repository import Repository
from meshc.disk.scratch import scratch
from meshc.errors import MeshcError, ProblemsError, UsageError
from meshc.mesh.source import load
from meshc.output.trees import OUTPUT, OVERLAYS, VERSIONS
from meshc.pipeline import plan_mesh
from meshc.publish.message import source_in
from meshc.review.committed import Commits, under_review
from meshc.tree import FileTree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshc.mesh.source import Source
    from meshc.plan.ir import Plan

_VERSIONS = VERSIONS.removeprefix(f"{OUTPUT}/")


@dataclass(frozen=True, slots=True)
class Base:
    """The base of a comparison: its name, its output/, and its plan if it has a readable mesh.yaml."""

    name: str
    output: FileTree
    plan: Plan | None
    note: str = ""
    """Why there is no plan, if one was expected."""
    commit: str = ""
    """The commit of this repository; empty for a folder or another repository's output."""
    source: Source | None = None
    """The text of mesh.yaml and its parts in the base, if it is valid YAML."""


def base_of(opened: Opened, ref: str | None, against: str | None, known: FileTree) -> Base:
    """The base of a diff: a folder or commit with the output (`against`), else a commit of this repository.

    `known` is an output/ that was read already. Raises UsageError if there is nothing to compare with, and MeshcError
    if the base has no output and can't be compiled.
    """
    commits = Commits(opened.repository.base)
    if against == "":
        raise UsageError("--against names nothing")
    if against is not None and Path(against).is_dir():
        return Base(against, _in_folder(Path(against)), None, _AGAINST)
    if against is not None:
        commit = commits.commit(against)
        found = commits.files(commit, OUTPUT, known) or commits.files_at_top(commit, OUTPUT)
        if not found:
            raise UsageError(f'"{against}" isn\'t a folder, nor a commit with {OUTPUT}/')
        return Base(against, _tree(found), None, _AGAINST)
    commit, name = (commits.commit(ref), ref) if ref is not None else commits.default_base()
    found = commits.files(commit, OUTPUT, known)
    data = commits.file(commit, opened.file.name)
    source = _source(data, opened.source.file, commits, commit) if data is not None else None
    plan = _plan(source) if source else None
    if data is None or _VERSIONS in found:
        note = _UNREADABLE if data is not None and plan is None else ""
        return Base(name, _tree(found), plan, note, commit, source)
    return Base(name, _compiled(commits, commit, name, opened.file.name), plan, commit=commit, source=source)


def published_base(opened: Opened, plan: Plan, known: FileTree) -> Base | None:
    """The published output/, if mesh.yaml says where it is; None if it isn't known, or in a CI job for a pull request.

    Its mesh.yaml is that of the source commit, which the published commit names.
    """
    side = published_side(opened, plan, known) if not under_review() else None
    if side is None:
        return None
    if side.output is None:
        opened.listener.note(f"  note: {side.why}, so a commit of mesh.yaml is compared; {side.hint}")
        return None
    commits = Commits(opened.repository.base)
    try:
        commit = commits.commit(source_in(commits.message(side.commit)))
    except UsageError:
        return Base(side.name, side.output, None, _NO_SOURCE)
    data = commits.file(commit, opened.file.name)
    source = _source(data, opened.source.file, commits, commit) if data is not None else None
    plan_then = _plan(source) if source else None
    return Base(side.name, side.output, plan_then, "" if plan_then else _UNREADABLE, commit, source)


_UNTOLD = "so MESH806, MESH808, MESH815, MESH850 and MESH851 aren't reported"
_UNREADABLE = f"this meshc can't read its mesh.yaml, {_UNTOLD}"
_NO_SOURCE = f"the commit that it was compiled from isn't known here, {_UNTOLD}"
_AGAINST = f"it has no mesh.yaml, {_UNTOLD}"


def _in_folder(folder: Path) -> FileTree:
    """The output in a checkout of another repository: below output/, or the folder itself."""
    repository = Repository.around(folder)
    if (folder / OUTPUT).is_dir():
        return repository.read_generated((OUTPUT,)).under(OUTPUT)
    if not (folder / _VERSIONS).is_file():
        raise UsageError(f'"{folder}" has no {OUTPUT}/ and isn\'t one', "name the folder that contains output/")
    above = Repository.around(folder.resolve().parent)
    return above.read_generated((folder.resolve().name,)).under(folder.resolve().name)


def _source(data: bytes, shown: str, commits: Commits, commit: str) -> Source | None:
    try:
        return load(data, shown, commits.at(commit))
    except ProblemsError:
        return None


def _plan(source: Source) -> Plan | None:
    """The plan of an old mesh.yaml; None if this meshc can't read it."""
    try:
        return plan_mesh(source)
    except ProblemsError:
        return None


def _compiled(commits: Commits, commit: str, name: str, file: str) -> FileTree:
    """Compiles the mesh.yaml of a commit in a temporary checkout."""
    everything = _tree({**commits.files_at_top(commit, ""), ".git": b"the top of a repository\n"})
    with scratch(everything) as top:
        place = top / commits.place_in_repository() / file
        try:
            opened = Opened(place, Repository.around(place.parent, cached=False))
            trees = expected_trees(opened, compiled_whole(opened), None)
        except ProblemsError as error:
            first = error.problems[0]
            where = posixpath.relpath(first.place.file, place.parent.as_posix())
            what = f"{first.code.id}: {first.what} ({where}:{first.place.line})"
            hint = f"commit {OVERLAYS}/ and {OUTPUT}/ there, or compare with another commit: --base"
            raise MeshcError(f"{name} has no {OUTPUT}/, and its {file} doesn't compile\n  {what}", hint) from None
    return trees.under(OUTPUT)


def _tree(files: Mapping[str, bytes]) -> FileTree:
    """The files of a tree that meshc could have written."""
    return FileTree({path: data for path, data in files.items() if path.isprintable() and "\\" not in path})

"""Finds the user's folders that have a kustomization, so that all are built together."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from meshc.disk.files import IrregularError, OutsideError
from meshc.errors import BuildError, Place
from meshc.mesh.kustomizations import NAMES, Closure, kustomization_in
from meshc.mesh.service_files import Chosen

if TYPE_CHECKING:
    from meshc.disk.repository import Repository
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source

Folders = Mapping[str, Mapping[str, bytes]]
"""Folders, each with all files that its kustomization needs, with paths relative to mesh.yaml."""
Builds = Mapping[str, bytes | BuildError]
"""The output of kustomize for each folder, or its error."""
Build = Callable[[Folders], Builds]

_UNREADABLE = (IrregularError, OutsideError, OSError)


class FolderBuilds:
    """The builds of one run: of the folders that mesh.yaml names, and of those with a kustomization below folders of
    `services`.

    Reports nothing. A folder with a problem is left out, and reported when it is read.
    """

    def __init__(self, fleet: Fleet, source: Source, repository: Repository, build: Build) -> None:
        self._source, self._repository, self._build = source, repository, build
        closures = {folder: self.closure(folder, Place("")) for folder in dict.fromkeys(self._folders(fleet))}
        self._sound = {folder: one.files for folder, one in closures.items() if not one.problems}
        self._known = build(self._sound) if self._sound else {}

    def closure(self, folder: str, named: Place) -> Closure:
        """The files that a folder's kustomization needs, and their problems. `named` is the place of its path."""
        closure = Closure(self._repository, self._source)
        closure.add_folder(folder, named)
        return closure

    def output(self, folder: str, files: Mapping[str, bytes]) -> bytes:
        """What kustomize makes of a folder with these files, even if they have changed since. Raises BuildError."""
        is_known = self._sound.get(folder) == files
        found = self._known[folder] if is_known else self._build({folder: files})[folder]
        if isinstance(found, BuildError):
            raise found
        return found

    def _folders(self, fleet: Fleet) -> Iterator[str]:
        """The folders with a kustomization."""
        named = {posixpath.normpath(path) for member in fleet for path in member.cluster.resources}
        yield from filter(self._has_kustomization, sorted(named))
        for chosen in {Chosen.of(entry): None for entry in fleet.mesh.spec.services if entry.manifests is not None}:
            folder = posixpath.normpath(chosen.path)
            if self._has_kustomization(folder):
                yield folder
            else:
                yield from folders_of(chosen.files(self._files(folder)))

    def _has_kustomization(self, folder: str) -> bool:
        try:
            return self._repository.kind(folder) == "folder" and kustomization_in(self._repository, folder) is not None
        except _UNREADABLE:
            return False

    def _files(self, folder: str) -> tuple[str, ...]:
        try:
            return self._repository.list_files(folder) if self._repository.kind(folder) == "folder" else ()
        except _UNREADABLE:
            return ()


def folders_of(names: Iterable[str]) -> list[str]:
    """The folders of the kustomizations among these files, without folders inside another one."""
    every = {posixpath.dirname(name) for name in names if is_kustomization(name)}
    return sorted(folder for folder in every if not is_below(folder, every))


def is_below(path: str, folders: Collection[str]) -> bool:
    """True if a path is inside one of these folders."""
    return any(parent.as_posix() in folders for parent in PurePosixPath(path).parents)


def is_kustomization(name: str) -> bool:
    return posixpath.basename(name) in NAMES

"""Builds the user's folders that have a kustomization, several at once, because each start of kustomize takes long."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from meshc.disk.files import IrregularError, OutsideError
from meshc.errors import BuildError, Place
from meshc.mesh.kustomizations import NAMES, Closure, kustomization_in
from meshc.mesh.service_files import Chosen

if TYPE_CHECKING:
    from meshc.disk.repository import Repository
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source

Build = Callable[[Mapping[str, bytes], str], bytes]
"""The output of kustomize for a folder of some files (paths relative to mesh.yaml). Raises BuildError."""

_UNREADABLE = (IrregularError, OutsideError, OSError)


class FolderBuilds:
    """The builds of one run. A folder that `prepare` didn't build is built when its output is needed."""

    def __init__(self, source: Source, repository: Repository, build: Build) -> None:
        self._source, self._repository, self._build = source, repository, build
        self._known: dict[str, bytes | BuildError] = {}

    def closure(self, folder: str, named: Place) -> Closure:
        """The files that a folder's kustomization needs, and their problems. `named` is the place of its path."""
        closure = Closure(self._repository, self._source)
        closure.add_folder(folder, named)
        return closure

    def output(self, folder: str, files: Mapping[str, bytes]) -> bytes:
        """What kustomize makes of a folder. Raises BuildError."""
        found = self._known.get(folder) or self._built(folder, files)
        if isinstance(found, BuildError):
            raise found
        return found

    def prepare(self, fleet: Fleet) -> None:
        """Builds the folders that mesh.yaml names, and those with a kustomization below folders of `services`.

        Reports nothing. Leaves out each folder with a problem, which is reported when the folder is read.
        """
        closures = {folder: self.closure(folder, Place("")) for folder in dict.fromkeys(self._folders(fleet))}
        sound = {folder: one.files for folder, one in closures.items() if not one.problems}
        if len(sound) > 1:
            with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                self._known = dict(zip(sound, pool.map(self._built, sound, sound.values()), strict=True))

    def _built(self, folder: str, files: Mapping[str, bytes]) -> bytes | BuildError:
        try:
            return self._build(files, folder)
        except BuildError as error:
            return error

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
    found: list[str] = []
    for folder in sorted({posixpath.dirname(name) for name in names if is_kustomization(name)}):
        if not any(folder.startswith(f"{other}/") for other in found):
            found.append(folder)
    return found


def is_kustomization(name: str) -> bool:
    return posixpath.basename(name) in NAMES

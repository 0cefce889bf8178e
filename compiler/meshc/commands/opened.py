"""Opens a mesh.yaml: its source, its repository, and a kustomize if one is needed."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

from meshc.commands.begin import begin_reading, begin_writing
from meshc.commands.find_mesh import MESH, STDIN, below
from meshc.commands.listener import Listener, Silent
from meshc.commands.standard_input import read_standard_input
from meshc.disk.repository import Repository
from meshc.errors import MeshcError, UsageError
from meshc.mesh.source import Source, load
from meshc.output.kustomize import Kustomize, find

if TYPE_CHECKING:
    from pathlib import Path


_SILENT = Silent()


class Opened:
    """The mesh.yaml of a command, in its repository.

    Raises MeshcError if there is none, and RefusedError after an interrupted run.
    """

    def __init__(
        self,
        file: Path,
        repository: Repository | None = None,
        asked: Future[Kustomize] | None = None,
        listener: Listener = _SILENT,
    ) -> None:
        self.repository: Repository = repository or Repository.around(file.parent)
        self.file = file
        self.listener = listener
        begin_reading(self.repository)
        self._asked = asked
        if file.is_dir():
            raise UsageError(f'"{file}" is a folder', f"name the file in it: -f {file / 'mesh.yaml'}")
        data = read_standard_input(listener) if file == STDIN else self._read(file)
        self.source: Source = load(data, file.as_posix(), self.repository)

    def _read(self, file: Path) -> bytes:
        try:
            return self.repository.read_file(file.name)
        except FileNotFoundError:
            there = below(file.parent) if file == MESH else None
            hint = f"there is {there}: name it with -f" if there else "name it with -f"
            raise UsageError(f'there is no "{file}"', f"{hint}, or start one with: meshc init DIR") from None
        except OSError as error:
            raise MeshcError(f'"{file}" can\'t be read: {error.strerror}') from None

    @cached_property
    def kustomize(self) -> Kustomize:
        """The kustomize to use, searched once. Raises ToolError."""
        return self._asked.result() if self._asked else find(self.repository)


def opened_for(file: Path, listener: Listener, *, writes: bool) -> Opened:
    """Opens a mesh.yaml for a command that writes, or for one that only reads. Raises MeshcError."""
    return opened_for_writing(file, listener) if writes else Opened(file, listener=listener)


def opened_for_writing(file: Path, listener: Listener = _SILENT) -> Opened:
    """Opens a mesh.yaml for a command that writes, and first finishes or undoes an interrupted run. Raises
    MeshcError."""
    repository = Repository.around(file.parent)
    begin_writing(repository, listener)
    return Opened(file, repository, listener=listener)


def ask_early(repository: Repository) -> Future[Kustomize]:
    """Searches kustomize in the background, because reading the version of a new one takes time."""
    pool = ThreadPoolExecutor(1)
    asked = pool.submit(find, repository)
    pool.shutdown(wait=False)
    return asked

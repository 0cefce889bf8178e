"""Reads what a command needs, and writes its result as one change of the repository: all files, or none."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from meshc.disk.units import Change
from meshc.errors import RefusedError
from meshc.sealing.contract import SEALING_CERTIFICATE

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.disk.repository import Repository
    from meshc.plan.ir import ClusterPlan, Plan


class Work:
    """The certificates and sealed files of a mesh, with the changes of a command."""

    def __init__(self, repository: Repository, plan: Plan) -> None:
        self.plan = plan
        self._repository = repository
        self._before: dict[str, bytes | None] = {}
        self._after: dict[str, bytes | None] = {}

    def read(self, path: str) -> bytes | None:
        """The new content of the file if it is changed, else the current one; None if there is no file. Raises
        MeshcError if the file can't be read."""
        if path not in self._before:
            try:
                self._before[path] = self._repository.read_file(path)
            except FileNotFoundError:
                self._before[path] = None
            except OSError as error:
                raise RefusedError(f'"{path}" can\'t be read: {error.strerror}') from None
        return self._after.get(path, self._before[path])

    def committed(self, path: str) -> bytes | None:
        """The current content of the file on the disk, without pending changes."""
        self.read(path)
        return self._before[path]

    def write(self, path: str, data: bytes | None) -> None:
        """Sets the new content of a file; None deletes the file."""
        self.read(path)
        self._after[path] = data

    def commit(self) -> tuple[str, ...]:
        """Writes all files or none, and returns the changed files. Raises RefusedError or ToolError."""
        changed = {path: data for path, data in self._after.items() if data != self._before[path]}
        outside = [path for path in changed if path.startswith("../")]
        if outside:
            raise RefusedError(f'"{outside[0]}" is above mesh.yaml, where meshc changes no files')
        self._repository.change({path: Change(self._before[path], data) for path, data in changed.items()})
        return tuple(sorted(changed))

    @property
    def base(self) -> Path:
        """The folder of mesh.yaml."""
        return self._repository.base

    def certificate(self, name: str, cluster: str = "") -> str:
        """The path of a file in the folder of certificates."""
        return posixpath.normpath(posixpath.join(self.plan.certificates, cluster, name))

    def sealed(self, file: str) -> str:
        """The path of a file in the folder of sealed secrets."""
        return posixpath.normpath(posixpath.join(self.plan.sealed, file))

    def cacerts(self, cluster: str) -> str:
        """The path of a cluster's sealed cacerts."""
        return self.sealed(f"{cluster}/cacerts.yaml")

    def sealing_certificate(self, cluster: ClusterPlan) -> bytes | None:
        """The public certificate of the cluster's sealed-secrets controller."""
        return self.read(self.certificate(SEALING_CERTIFICATE, cluster.name))

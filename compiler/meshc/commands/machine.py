"""Checks this machine: which external programs exist, and whether Git can read the repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.disk.repository import Repository
from meshc.output.tools import Tool, tools, trouble_with_git

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """The external programs, kustomize first, and why Git refuses the repository of mesh.yaml; "" if it doesn't."""

    tools: tuple[Tool, ...]
    trouble: str

    @property
    def works(self) -> bool:
        """True if meshc can compile here."""
        return not self.trouble and bool(self.tools[0].version)


def machine(folder: Path) -> Machine:
    """Starts programs, and reads no mesh. `folder` is that of mesh.yaml."""
    found = tuple(tools(Repository.around(folder)))
    return Machine(found, trouble_with_git(folder) if folder.is_dir() and found[1].version else "")

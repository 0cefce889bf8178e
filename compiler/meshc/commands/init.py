"""Starts a mesh: a mesh.yaml that compiles, its schema, and Git settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from meshc.commands.first_mesh import Generation, Topology, first_mesh, git_attributes
from meshc.disk.repository import Repository
from meshc.errors import MeshcError
from meshc.mesh.schema import schema_text
from meshc.tree import FileTree


@dataclass(frozen=True, slots=True)
class Started:
    """The written files, and the lines to add to an existing .gitattributes."""

    files: tuple[str, ...]
    attributes: tuple[str, ...]


def started(directory: Path, generation: Generation, topology: Topology, name: str) -> Started:
    """Writes the files. Raises RefusedError with the names of files that exist already, and UsageError."""
    if directory.exists() and not directory.is_dir():
        raise MeshcError(f'"{directory}" is a file, not a folder')
    files = {"mesh.yaml": first_mesh(generation, topology, name), "mesh.schema.json": schema_text()}
    attributes = git_attributes()
    is_there = (directory / ".gitattributes").exists()
    if not is_there:
        files[".gitattributes"] = attributes
    Repository.around(directory).create(FileTree({path: text.encode() for path, text in files.items()}))
    return Started(tuple(files), tuple(attributes.splitlines()) if is_there else ())

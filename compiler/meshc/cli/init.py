"""`meshc init`: a mesh that compiles as it stands, to be edited into one's own."""

from __future__ import annotations

from pathlib import Path

from meshc.cli.first_mesh import Generation, Topology, first_mesh
from meshc.cli.report import tell
from meshc.cli.schema import schema_text
from meshc.disk.repository import Repository
from meshc.errors import MeshcError
from meshc.tree import FileTree

_ATTRIBUTES = """\
overlays/** text eol=lf linguist-generated
output/** text eol=lf linguist-generated
mesh.schema.json text eol=lf linguist-generated
"""

_IGNORED = ".meshc/\n"


def init_command(directory: Path, generation: Generation, topology: Topology) -> None:
    """Writes the files, none of which may exist yet. Raises RefusedError naming those that do."""
    if directory.exists() and not directory.is_dir():
        raise MeshcError(f'"{directory}" is a file, not a folder')
    files = {
        "mesh.yaml": first_mesh(generation, topology),
        "mesh.schema.json": schema_text(),
        ".gitattributes": _ATTRIBUTES,
        ".gitignore": _IGNORED,
    }
    Repository.around(directory).create(FileTree({path: text.encode() for path, text in files.items()}))
    for path in files:
        tell(f"wrote {(directory / path).as_posix()}")
    where = "" if directory == Path() else f"cd {directory.as_posix()} && "
    tell(f"next: {where}meshc compile")

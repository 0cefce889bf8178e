"""`meshc init`: a mesh that compiles as it stands, to be edited into one's own."""

from __future__ import annotations

import shlex
from pathlib import Path

from meshc.cli.first_mesh import Generation, Topology, first_mesh
from meshc.cli.report import tell
from meshc.cli.schema import schema_text
from meshc.disk.repository import Repository
from meshc.errors import MeshcError
from meshc.tree import FileTree

ATTRIBUTES = """\
# merge=meshc: what is compiled isn't merged but compiled again. Once in every clone: git config merge.meshc.driver true
overlays/** text eol=lf linguist-generated merge=meshc
output/** text eol=lf linguist-generated merge=meshc
mesh.schema.json text eol=lf linguist-generated
certificates/** text eol=lf
sealed/** text eol=lf
"""


def init_command(directory: Path, generation: Generation, topology: Topology) -> None:
    """Writes the files, none of which may exist yet. Raises RefusedError naming those that do."""
    if directory.exists() and not directory.is_dir():
        raise MeshcError(f'"{directory}" is a file, not a folder')
    files = {"mesh.yaml": first_mesh(generation, topology), "mesh.schema.json": schema_text()}
    has_attributes = (directory / ".gitattributes").exists()
    if not has_attributes:
        files[".gitattributes"] = ATTRIBUTES
    Repository.around(directory).create(FileTree({path: text.encode() for path, text in files.items()}))
    for path in files:
        tell(f"wrote {(directory / path).as_posix()}")
    if has_attributes:
        tell("there is a .gitattributes; add to it:")
        for line in ATTRIBUTES.splitlines():
            tell(f"  {line}")
    folder = directory.as_posix()
    where = "" if directory == Path() else f"cd {shlex.quote(f'./{folder}' if folder[0] == '-' else folder)} && "
    tell(f"next: {where}meshc compile")

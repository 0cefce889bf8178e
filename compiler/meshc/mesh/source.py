"""Reads the bytes of mesh.yaml and its parts as a `Source`: one document, with the names of files for messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from meshc.errors import Path, Place, ProblemsError
from meshc.mesh.including import read_parts
from meshc.mesh.inventories import Inventory, complete, read_inventories
from meshc.mesh.parse import parse
from meshc.mesh.parts import Part, join
from meshc.yamltext.document import Document
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.errors import Code, Fix, Problem
    from meshc.mesh.including import Files
    from meshc.mesh.model import Mesh


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one mesh.yaml and of its parts, each read once.

    `document` is the document of the whole mesh. `file` is the user's name for mesh.yaml, which messages use. `faults`
    are problems of parts.
    """

    file: str
    document: Document
    data: bytes = field(repr=False)
    parts: tuple[Part, ...] = ()
    inventories: tuple[Inventory, ...] = ()
    faults: tuple[Problem, ...] = ()

    @property
    def files(self) -> dict[str, bytes]:
        """The bytes of mesh.yaml, its parts and its inventories, by their paths from the folder of mesh.yaml."""
        found = {self.name: self.data} | {part.path: part.data for part in self.parts}
        return found | {one.path: one.data for one in self.inventories}

    @property
    def name(self) -> str:
        """The path of mesh.yaml in its folder."""
        return PurePosixPath(self.file).name

    def shown(self, relative: str) -> str:
        """A path relative to mesh.yaml, as messages show it: relative to the user's current folder."""
        return str(PurePosixPath(self.file).parent / relative)

    def text_of(self, shown: str) -> bytes:
        """The bytes of mesh.yaml or of a part, by the name in messages."""
        return next((part.data for part in self.parts if part.document.file == shown), self.data)

    def parsed(self) -> tuple[Mesh | None, list[Problem]]:
        """The mesh, or every fault of its structure and of its parts. Never raises for bad input."""
        mesh, problems = parse(self.document)
        if not self.faults:
            return mesh, problems
        # a list that a faulty part should have isn't missing in mesh.yaml
        others = (problem for problem in problems if problem.path != "spec.clusters")
        return None, list(dict.fromkeys([*self.faults, *others]))

    def problem(
        self,
        code: Code,
        path: Path,
        what: str,
        hint: str = "",
        *,
        key: bool = False,
        also: tuple[Place, ...] = (),
        clusters: tuple[str, ...] = (),
        fix: Fix | None = None,
    ) -> Problem:
        """A problem at the value (or the key) at `path` of the mesh, in mesh.yaml or in a part."""
        place = self.document.key_place(path) if key else self.document.place(path)
        return code.at(place, what, hint, path=self.document.name(path), also=also, clusters=clusters, fix=fix)


def load(data: bytes, file: str, files: Files | None = None) -> Source:
    """Reads mesh.yaml strictly, and its parts in `files`.

    Raises ProblemsError with every fault of mesh.yaml's text. Problems of parts are kept for later, because no message
    may quote a part before it was searched for secrets.
    """
    documents, problems = read(data, file, strict=True)
    if problems:
        raise ProblemsError(problems)
    alone = Source(file, documents[0], data)
    parts, faults = read_parts(alone.document, alone.name, files, alone.shown)
    inventories, others = read_inventories(alone.document, files, alone.shown)
    document = join(alone.document, parts, (files.from_top if files else None) or ".")
    document = complete(document, inventories)
    return Source(file, document, data, parts, inventories, (*faults, *others))

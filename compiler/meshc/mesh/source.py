"""source turns the bytes of mesh.yaml and of its parts into a `Source`: one document, and how to name files."""

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
    """The text of one mesh.yaml and of its parts, each read once. `document` is that of the whole mesh.

    `file` is how the person names mesh.yaml: every place is shown that way. `faults` are what is wrong with parts, so
    that they can't be taken as they are.
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
        """How a path relative to mesh.yaml is shown in messages: relative to where mesh.yaml is named from."""
        return str(PurePosixPath(self.file).parent / relative)

    def text_of(self, shown: str) -> bytes:
        """The bytes of mesh.yaml or of a part, by how it is shown."""
        return next((part.data for part in self.parts if part.document.file == shown), self.data)

    def parsed(self) -> tuple[Mesh | None, list[Problem]]:
        """The mesh that is described, or every fault of its shape and of its parts. Never raises for bad input."""
        mesh, problems = parse(self.document)
        if not self.faults:
            return mesh, problems
        # what a part should have held isn't missing in mesh.yaml
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
        """A problem at the value (or the key) that stands at `path` of the mesh, in mesh.yaml or in a part."""
        place = self.document.key_place(path) if key else self.document.place(path)
        return code.at(place, what, hint, path=self.document.name(path), also=also, clusters=clusters, fix=fix)


def load(data: bytes, file: str, files: Files | None = None) -> Source:
    """Reads mesh.yaml strictly, and its parts in `files`. Raises ProblemsError with every fault of mesh.yaml's text.

    What is wrong with parts is kept: no message quotes them before they were searched for secrets.
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

"""source turns mesh.yaml's bytes into a `Source`: its document, its place in the repository, and how to name files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from meshc.errors import Path, Place, ProblemsError, dotted
from meshc.yamltext.document import Document
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.errors import Code, Problem


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one mesh.yaml, read once. `file` is how the person names it: every place is shown that way."""

    file: str
    document: Document
    data: bytes = field(repr=False)

    def shown(self, relative: str) -> str:
        """How a path relative to mesh.yaml is shown in messages: relative to where mesh.yaml is named from."""
        return str(PurePosixPath(self.file).parent / relative)

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
    ) -> Problem:
        """A problem at the value (or the key) that stands at `path` of mesh.yaml."""
        place = self.document.key_place(path) if key else self.document.place(path)
        return code.at(place, what, hint, path=dotted(path), also=also, clusters=clusters)


def load(data: bytes, file: str) -> Source:
    """Reads mesh.yaml strictly. Raises ProblemsError with every fault of the text."""
    documents, problems = read(data, file, strict=True)
    if problems:
        raise ProblemsError(problems)
    return Source(file, documents[0], data)

"""Finds the lines of a mesh that are about one cluster, network or namespace, or below one key of spec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshc.errors import Place
    from meshc.mesh.source import Source
    from meshc.yamltext.document import Document

TAGS = "revisionTags"


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of a file: from `start` up to but not including `end`. `column` is the start of the text in the first
    line."""

    file: str
    start: int
    end: int
    column: int = 1

    def holds(self, place: Place) -> bool:
        """True if a place is in the block."""
        return place.file == self.file and self.start <= place.line < self.end


def blocks_of(source: Source, key: str) -> dict[str, Block]:
    """The lines of mesh.yaml and its parts that are about one entry of a list of spec, by its name."""
    found: dict[str, Block] = {}
    for document, end in _documents(source):
        listed = [one["name"] for one in document.data["spec"].get(key, ())]
        marks = [document.values["spec", key, number] for number in range(len(listed))]
        starts = [line for line, _ in marks]
        later = [
            line for path, (line, _) in document.keys.items() if len(path) == _KEY and starts and line > starts[-1]
        ]
        ends = [*starts[1:], min(later, default=end)]
        for name, (start, column), stop in zip(listed, marks, ends, strict=False):
            found.setdefault(name, Block(document.file, start, stop, column))
    return found


def tags_of(source: Source) -> dict[str, Block]:
    """The line of each revision tag of the whole mesh."""
    keys = source.document.at(())[0].keys
    marks = {str(path[-1]): mark for path, mark in keys.items() if path[:-1] == ("spec", "istio", TAGS)}
    file = source.document.at(())[0].file
    return {tag: Block(file, line, line + 1, column) for tag, (line, column) in marks.items()}


def sections_of(source: Source) -> dict[str, list[Block]]:
    """The lines below each key of spec, up to the next one."""
    found: dict[str, list[Block]] = {}
    for document, end in _documents(source):
        keys = sorted((line, str(path[1])) for path, (line, _) in document.keys.items() if len(path) == _KEY)
        ends = [line for line, _ in keys[1:]] + [end]
        for (line, name), stop in zip(keys, ends, strict=False):  # an inventory has no keys of spec
            found.setdefault(name, []).append(Block(document.file, line, stop))
    return found


_KEY = 2  # the length of the path of a key of spec


def _documents(source: Source) -> Iterator[tuple[Document, int]]:
    """Each document, with the line after its last line."""
    yield source.document.at(())[0], source.data.count(b"\n") + 2
    for part in source.parts:
        yield part.document, part.data.count(b"\n") + 2
    for inventory in source.inventories:
        yield inventory.document, inventory.data.count(b"\n") + 2

"""Formats mesh.yaml and its parts. Keeps their meaning and every comment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshc import codes
from meshc.commands.edit import Edit
from meshc.commands.find_mesh import STDIN
from meshc.disk.units import Change
from meshc.errors import UsageError, stop_on
from meshc.scanning.guard import plaintext_in
from meshc.yamltext.layout import laid_out
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshc.commands.opened import Opened


@dataclass(frozen=True, slots=True)
class LaidOut:
    """The files whose text changes."""

    opened: Opened
    edits: tuple[Edit, ...]
    changes: Mapping[str, Change] = field(repr=False)

    def write(self) -> None:
        """Changes all files, or none. Raises MeshcError."""
        self.opened.repository.change(self.changes)


def formatted(opened: Opened) -> LaidOut:
    """mesh.yaml and its parts below its folder, formatted. Writes nothing.

    Raises ProblemsError for a text that isn't YAML or contains a secret, and EditError for one that can't be formatted.
    """
    source = opened.source
    if source.file == str(STDIN):
        raise UsageError("mesh.yaml comes from standard input, so nothing can be written into it", "name it with -f")
    edits: list[Edit] = []
    changes: dict[str, Change] = {}
    written = {source.name: source.data} | {part.path: part.data for part in source.parts}
    names = {source.shown(path) for path in written}
    stop_on(problem for problem in source.faults if problem.place.file not in names)  # the faults of unreadable parts
    for path, before in written.items():
        shown = source.shown(path)
        stop_on([*read(before, shown, strict=True)[1], *plaintext_in(before, shown, codes.PLAINTEXT_SECRET)])
        if path.startswith("../"):
            opened.listener.note(f"  note: {shown} is outside the folder of mesh.yaml, and is left as it is")
            continue
        after = laid_out(before, shown)
        if after != before:
            edits.append(Edit(shown, before, after))
            changes[path] = Change(before, after)
    return LaidOut(opened, tuple(edits), changes)

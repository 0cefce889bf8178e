"""Changes values of a mesh in their files, and keeps comments and layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.commands.find_mesh import STDIN
from meshc.disk.units import Change
from meshc.errors import UsageError, dotted, stop_on
from meshc.mesh.source import load
from meshc.yamltext.edit import EditError, inline, with_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshc.commands.opened import Opened
    from meshc.errors import Path
    from meshc.mesh.including import Files


@dataclass(frozen=True, slots=True)
class Edit:
    """One file: its name for messages, its current text and its new text."""

    file: str
    before: bytes
    after: bytes

    @property
    def changes(self) -> bool:
        """True if the text changes."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class _Edited:
    """The files of a mesh, some of them with new text."""

    files: Files
    texts: Mapping[str, bytes]

    @property
    def from_top(self) -> str | None:
        return self.files.from_top

    def match_files(self, pattern: str) -> Sequence[str]:
        return self.files.match_files(pattern)

    def read_file(self, relative: str) -> bytes:
        return self.texts[relative] if relative in self.texts else self.files.read_file(relative)


def edited(opened: Opened, values: Mapping[Path, Any], *, write: bool) -> tuple[Edit, ...]:
    """mesh.yaml and the parts with these new values, written to disk if requested.

    Raises EditError, and ProblemsError if a value has the wrong type.
    """
    source = opened.source
    if write and source.file == str(STDIN):
        raise UsageError("mesh.yaml comes from standard input, so nothing can be written into it", "name it with -f")
    by_file: dict[str, dict[Path, Any]] = {}
    for path, value in values.items():
        document, inner = source.document.at(path)
        by_file.setdefault(document.file, {})[inner] = value
    inventories = {one.document.file for one in source.inventories}
    if told := [file for file in by_file if file in inventories]:
        names = ", ".join(f"{dotted(path)}: {inline(value)}" for path, value in by_file[told[0]].items())
        raise EditError(
            f"{told[0]} is an inventory, and says otherwise",
            f"refresh it (meshc capture inventory), or write into mesh.yaml {names}",
        )
    edits = {}
    if outside := [name for name in source.files if name.startswith("../") and source.shown(name) in by_file]:
        wanted = by_file[source.shown(outside[0])]
        by_hand = ", ".join(f"{dotted(path)}: {inline(value)}" for path, value in wanted.items())
        raise EditError(f"{source.shown(outside[0])} is outside the folder of mesh.yaml", f"write there {by_hand}")
    for name, data in source.files.items():
        shown = source.shown(name)
        if shown in by_file:
            edits[name] = Edit(shown, data, with_values(data, shown, by_file[shown]))
    changed = {name: edit for name, edit in edits.items() if edit.changes}
    if changed:
        texts = {name: edit.after for name, edit in changed.items()}
        whole = texts.get(source.name, source.data)
        _, problems = load(whole, source.file, _Edited(opened.repository, texts)).parsed()
        stop_on(problems)
        if write:
            opened.repository.change({name: Change(one.before, one.after) for name, one in changed.items()})
    return tuple(edits.values())

"""Changes values in mesh.yaml, whose comments and layout stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.disk.units import Change
from meshc.errors import stop_on
from meshc.mesh.parse import parse
from meshc.mesh.source import load
from meshc.yamltext.edit import with_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshc.commands.opened import Opened
    from meshc.errors import Path


@dataclass(frozen=True, slots=True)
class Edit:
    """mesh.yaml as it is shown in messages, its text now and its text with other values."""

    file: str
    before: bytes
    after: bytes

    @property
    def changes(self) -> bool:
        """Whether mesh.yaml says something else so far."""
        return self.before != self.after


def edited(opened: Opened, values: Mapping[Path, Any], *, write: bool) -> Edit:
    """mesh.yaml with these values, which is written where that is asked for.

    Raises EditError, and ProblemsError if a value has the wrong shape.
    """
    source = opened.source
    edit = Edit(source.file, source.data, with_values(source.data, source.file, values))
    if edit.changes:
        _, problems = parse(load(edit.after, source.file).document)
        stop_on(problems)
        if write:
            opened.repository.change({source.file.rpartition("/")[2]: Change(edit.before, edit.after)})
    return edit

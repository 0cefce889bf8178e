"""The state of a reader of YAML: collections whose end isn't read yet, and anchors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from meshc.yamltext.document import Mark
from meshc.yamltext.nodes import Node


class StopReadingError(Exception):
    """Raised to stop reading: it would be useless or unsafe to continue."""


class Key(NamedTuple):
    """A key that waits for its value, which is dropped if `text` is None."""

    text: str | None
    mark: Mark
    merge: bool = False


@dataclass(slots=True)
class Open:
    """A collection whose end isn't read yet. `before` is the count of values at its start."""

    node: Node
    anchor: str | None
    is_mapping: bool
    in_flow: bool
    before: int
    entries: dict[str | int, tuple[Mark | None, Node]] = field(default_factory=dict)
    merged: list[Node] = field(default_factory=list)
    key: Key | None = None
    height: int = 0

    @property
    def step(self) -> str | int:
        """The path's step to the value that is read now."""
        return len(self.entries) if not self.is_mapping else (self.key.text or "<<") if self.key else ""


class Anchored(NamedTuple):
    """A value that an alias can name, with the count of its values and its height."""

    node: Node
    size: int
    height: int

"""The result of an adoption: the text of a mesh.yaml, files beside it, and notes for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from meshc.yamltext.edit import inline

UNKNOWN = "UNKNOWN"
"""The placeholder for a value that only a person knows. No field of mesh.yaml accepts it, so nothing compiles before it
is replaced."""


@dataclass(slots=True)
class Adopted:
    """The text of mesh.yaml, the files beside it, the notes, and the keys with a placeholder."""

    mesh: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def ask(self, indent: str, path: str, why: str) -> str:
        """The line of a key with a placeholder, which a person has to fill in."""
        self.asked.append(f"{path}: {why}")
        return f"{indent}{path.rpartition('.')[2]}: {UNKNOWN}   # {why}"


def given(key: str, value: str, default: str) -> list[str]:
    """The line of a key with its value."""
    return [f"{key}: {inline(value)}"] if value and value != default else []


def agreed(said: Mapping[str, str], what: str, made: Adopted) -> str:
    """A setting of the whole mesh, from its clusters. If they differ, the first one wins, with a note."""
    told = {name: value for name, value in said.items() if value}
    if len(set(told.values())) > 1:
        every = ", ".join(f"{name} {value}" for name, value in told.items())
        made.notes.append(f"clusters have different values of {what} ({every}): mesh.yaml has the first one")
    return next(iter(told.values()), "")

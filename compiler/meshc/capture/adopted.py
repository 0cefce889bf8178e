"""What an adoption comes to: the text of a mesh.yaml, files beside it, and what a person has to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from meshc.yamltext.edit import inline

UNKNOWN = "UNKNOWN"
"""Stands where only a person can tell: no field of mesh.yaml takes it, so nothing compiles before it is replaced."""


@dataclass(slots=True)
class Adopted:
    """The text of mesh.yaml, the files beside it, what a person has to look at, and what has to be told."""

    mesh: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def ask(self, indent: str, path: str, why: str) -> str:
        """The line of a key that has to be told by a person."""
        self.asked.append(f"{path}: {why}")
        return f"{indent}{path.rpartition('.')[2]}: {UNKNOWN}   # {why}"


def given(key: str, value: str, default: str) -> list[str]:
    """The line of a key that says something."""
    return [f"{key}: {inline(value)}"] if value and value != default else []


def agreed(said: Mapping[str, str], what: str, made: Adopted) -> str:
    """What clusters say of the whole mesh: the first of them where they differ, which is told."""
    told = {name: value for name, value in said.items() if value}
    if len(set(told.values())) > 1:
        every = ", ".join(f"{name} {value}" for name, value in told.items())
        made.notes.append(f"clusters don't agree on {what}: {every}: mesh.yaml has the first")
    return next(iter(told.values()), "")

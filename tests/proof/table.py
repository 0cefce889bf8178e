"""The table of what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from proof.told import Story


@dataclass(frozen=True)
class Row:
    """What came of one story."""

    story: Story
    seen: tuple[str, ...]
    requests: int
    seconds: float
    fault: str

    @property
    def red(self) -> bool:
        return bool(self.fault) != bool(self.story.known)

    @property
    def word(self) -> str:
        if self.story.known:
            return f"known: {self.story.known}" if self.fault else f"passes, and was known: {self.story.known}"
        return "FAILED" if self.fault else "holds"


def print_table(rows: Sequence[Row]) -> None:
    """A line a story, what was seen below it, and the counts that close the run."""
    print("\n| story | result | seen | requests | seconds |\n|---|---|---|---|---|")
    for row in rows:
        print(f"| {row.story.name} | {row.word} | {len(row.seen)} | {row.requests} | {row.seconds:.0f} |")
    for row in rows:
        print(f"\n{row.story.name}: {row.word}")
        for line in row.seen:
            print(f"  {line}")
        if row.fault:
            print(f"  {'as known' if row.story.known else 'FAILED'}: {row.fault}")
    held = sum(not row.fault for row in rows)
    known = sum(bool(row.fault and row.story.known) for row in rows)
    print(f"\n{sum(row.requests for row in rows)} requests, {sum(row.seconds for row in rows):.0f} s, {known} known")
    print(f"{held} passed, {sum(row.red for row in rows)} failed")

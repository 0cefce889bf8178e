"""trusted turns what outlives a commit into words: a root that is being replaced, CAs of clusters that have left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from meshc.cli import waiting
from meshc.commands.past import departed_authorities

if TYPE_CHECKING:
    from meshc.seal.authorities import Row
    from meshc.seal.work import Work


@dataclass(frozen=True, slots=True)
class OfTrust:
    """What the reports on a whole mesh tell besides their rows."""

    now: datetime
    wait: waiting.Wait | None
    gone: tuple[Row, ...]

    def as_json(self) -> dict[str, Any]:
        """As data; both keys are always there."""
        rotation = self.wait.as_json(self.now) if self.wait else None
        return {"rotation": rotation, "departed": [row.as_json() for row in self.gone]}

    def of_rotation(self) -> list[str]:
        """How far a replacement of the root is, for people; nothing where there is none."""
        return waiting.lines(self.wait, self.now) if self.wait else []

    def lines(self) -> Iterator[str]:
        """All of it for people; nothing where there is nothing to tell."""
        yield from self.of_rotation()
        for row in self.gone:
            yield f"{row.name} has left the mesh, and its CA {row.fingerprint[:23]} is trusted until {row.until}"
        if self.gone:
            yield "  such a CA loses trust when the root is replaced: meshc ca rotate-root"


def of_trust(work: Work, mesh: str, now: datetime) -> OfTrust:
    """What Git, the clock and the certificates tell of a mesh whose CAs are in Git. `mesh` is the name of mesh.yaml."""
    if work.plan.ca != "plugged-in":
        return OfTrust(now, None, ())
    return OfTrust(now, waiting.rotation_under_way(work, mesh, now), tuple(departed_authorities(work, now)))

"""Finds the state of trust over several commits: a root under replacement, CAs of removed clusters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from meshc.commands.expiry import departed_authorities
from meshc.commands.root_waits import Wait, rotation_under_way

if TYPE_CHECKING:
    from meshc.issuing.authorities import Row
    from meshc.issuing.work import Work


@dataclass(frozen=True, slots=True)
class OfTrust:
    """The state of trust, which reports show besides their rows: the wait before the next step, and CAs of removed
    clusters."""

    now: datetime
    wait: Wait | None
    gone: tuple[Row, ...]

    def as_json(self) -> dict[str, Any]:
        """The state as data; both keys are always there."""
        rotation = self.wait.as_json(self.now) if self.wait else None
        return {"rotation": rotation, "departed": [row.as_json() for row in self.gone]}


def of_trust(work: Work, mesh: str, now: datetime) -> OfTrust:
    """The state of trust from Git, the clock and the certificates, if the CAs are in Git. `mesh` is the name of
    mesh.yaml."""
    if work.plan.ca != "plugged-in":
        return OfTrust(now, None, ())
    return OfTrust(now, rotation_under_way(work, mesh, now), tuple(departed_authorities(work, now)))

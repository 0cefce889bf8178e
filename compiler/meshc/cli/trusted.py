"""Prints the state of trust over several commits: a root under replacement, CAs of removed clusters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from meshc.commands.root_waits import BY, shown

if TYPE_CHECKING:
    from meshc.commands.trusted import OfTrust


def of_all(trust: OfTrust) -> Iterator[str]:
    """The whole state as text; nothing if there is nothing to report."""
    yield from of_rotation(trust)
    for row in trust.gone:
        yield f"{row.name} has left the mesh, and its CA {row.fingerprint[:23]} is trusted until {row.until}"
    if trust.gone:
        yield "  such a CA loses trust when the root is replaced: meshc ca rotate-root"


def of_rotation(trust: OfTrust) -> list[str]:
    """The state of a root's replacement: the next step, its time, and what still uses the old root."""
    wait, now = trust.wait, trust.now
    if wait is None:
        return []
    when = f"nothing tells when: {wait.trouble}"
    if wait.until:
        when = "now" if wait.over(now) else f"from {shown(wait.until)}: {wait.why}"
    command = BY[wait.action]
    old = f"CAs under the old root: {', '.join(wait.pending[:5])}"
    old += f" and {len(wait.pending) - 5} more" if len(wait.pending) > 5 else ""
    return [
        f"the root is being replaced; next is to {wait.action.value}, {when}",
        f"  {command}",
        f"  {old if wait.pending else 'no CA is under the old root; certificates of workloads from before may be'}",
    ]

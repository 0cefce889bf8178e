"""Finds the next step in the replacement of a trust domain, and the earliest time for it.

Git shows when the trust domain last changed. Workloads get new certificates within the lifetime of a certificate.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from meshc.commands.root_waits import shown, span
from meshc.errors import MeshcError
from meshc.kube import as_list
from meshc.mesh.source import load
from meshc.plan.lifetime import lifetime_of
from meshc.review.committed import Commits
from meshc.review.history import History

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from meshc.plan.ir import Plan

_COMMITS = 50
"""The number of changes of mesh.yaml in which the change of the trust domain is searched."""


@dataclass(frozen=True, slots=True)
class Domains:
    """A trust domain and its aliases; `left` is the alias that was the trust domain until `since`.

    `came` are the aliases that were added after the first commit of the mesh, or after the change of the trust domain.
    """

    now: str
    aliases: tuple[str, ...]
    came: tuple[str, ...]
    left: str
    since: datetime | None
    lasts: timedelta

    @property
    def until(self) -> datetime | None:
        """The time when no certificate of the old trust domain is left, if every cluster synced immediately."""
        return self.since + self.lasts if self.since else None

    def as_json(self, now: datetime) -> dict[str, Any]:
        """The state as data; every key is always there."""
        since, until = (f"{one:%Y-%m-%dT%H:%M:%SZ}" if one else "" for one in (self.since, self.until))
        over = self.until is not None and self.until <= now
        return {"now": self.now, "aliases": self.aliases, "left": self.left, "since": since, "until": until} | {
            "allowed": over
        }

    def lines(self, now: datetime) -> Iterator[str]:
        """The text for people: an alias that can be removed later, and aliases that may become the trust domain."""
        for alias in self.aliases:
            if alias == self.left and self.until:
                when = "now" if self.until <= now else f"from {shown(self.until)}"
                yield f'the trust domain was "{alias}" until {shown(self.since)}; the alias may go {when}'
                yield f"  a certificate lasts {span(self.lasts)}, from when the last cluster had synced that"
            elif alias in self.came:
                yield f'"{alias}" is an alias; for it to become the trust domain, once every cluster has synced this:'
                others = [one for one in self.aliases if one != alias]
                yield f"  trustDomain: {alias}, trustDomainAliases: [{', '.join((self.now, *others))}]"


def domains_of(base: Path, plan: Plan, mesh: str) -> Domains | None:
    """The state from Git and the plan; None for a mesh without aliases. `mesh` is the name of mesh.yaml in `base`."""
    aliases = plan.trust_domain_aliases
    if not aliases:
        return None
    left, since, came = "", None, set()
    for time, domain, known in _past(base, mesh):
        came |= {alias for alias in aliases if alias not in known}
        if domain != plan.trust_domain:
            left = domain if domain in aliases else ""
            break
        since = time
    lasts = lifetime_of(plan).longest
    return Domains(plan.trust_domain, aliases, tuple(came), left, since if left else None, lasts)


def _past(base: Path, mesh: str) -> Iterator[tuple[datetime, str, tuple[str, ...]]]:
    """The trust domain and aliases in earlier versions of mesh.yaml, newest first, with their times. Stops at a version
    that can't be read."""
    for change in History(base).changes([mesh], _COMMITS):
        data = Commits(base).file(change.commit, mesh)
        try:
            istio = load(data, mesh).document.data["spec"]["istio"] if data is not None else {}
            said, known = istio.get("trustDomain", "cluster.local"), istio.get("trustDomainAliases", ())
        except (MeshcError, KeyError, TypeError, AttributeError):
            return
        if data is None or not isinstance(said, str):
            return
        yield change.time, said, tuple(str(one) for one in as_list(known))

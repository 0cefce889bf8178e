"""Warnings that need the clock or Git's history: what expires soon, roots that were replaced in one step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from meshc import codes
from meshc.commands.last_run import instant
from meshc.errors import Place, stop_on
from meshc.lowering import needs_of
from meshc.review.committed import Commits

if TYPE_CHECKING:
    from meshc.commands.opened import Opened
    from meshc.issuing.authorities import Row
    from meshc.issuing.work import Work
    from meshc.plan.ir import Plan

_COMMITS, _LARGEST = 1000, 64 << 10
"""The limits of the search for CAs of removed clusters: commits that changed certificates, and bytes of a file."""


def expiring(opened: Opened, plan: Plan) -> list[str]:
    """A line for each root and CA that is due, and for credentials of each remote that expire soon."""
    from meshc.issuing.authorities import rows
    from meshc.issuing.ending import endings
    from meshc.issuing.ending import expiring as soon
    from meshc.issuing.work import Work

    work, now = Work(opened.repository, plan), datetime.now(UTC)
    found = rows(work, now, None) if plan.ca == "plugged-in" else []
    lines = [f"{row.name}: its CA {row.state} ({row.until})" for row in found if row.expiring]
    return lines + [one.line(now) for one in endings(work, needs_of(plan)) if soon(one.end, now)]


def quiet_until(opened: Opened, plan: Plan) -> str:
    """The time, in UTC, when `expiring` will first report something; empty if it already does, or if a CA is broken."""
    from meshc.issuing.authorities import rows
    from meshc.issuing.ending import SOON, endings
    from meshc.issuing.ending import expiring as soon
    from meshc.issuing.work import Work
    from meshc.trust.issue import renewal_begins

    work, now = Work(opened.repository, plan), datetime.now(UTC)
    found = rows(work, now, None) if plan.ca == "plugged-in" else []
    good = [row.about for row in found if row.about and not row.broken and not row.expiring]
    noted = [one.end for one in endings(work, needs_of(plan))]
    is_unclear = len(good) != len(found) or (plan.ca == "plugged-in" and not good)
    if is_unclear or any(soon(end, now) for end in noted):
        return ""
    times = [renewal_begins(about.not_before, about.not_after) for about in good]
    times += [end - timedelta(days=SOON) for end in noted]
    return instant(min(times)) if times else "9999"


def departed_authorities(work: Work, now: datetime) -> list[Row]:
    """CAs of removed clusters that are still trusted, from Git's history of certificates."""
    from meshc.issuing.cacerts import CA, CHAIN
    from meshc.issuing.departed import departed
    from meshc.review.history import History

    past: dict[str, dict[str, list[bytes]]] = {}
    for version in History(work.base).versions(work.plan.certificates, (CA, CHAIN), _COMMITS, _LARGEST):
        cluster, _, name = version.path.partition("/")
        past.setdefault(cluster, {}).setdefault(name, []).append(version.data)
    return departed(work, past, now)


def stop_on_a_jump(opened: Opened, plan: Plan, base: str) -> None:
    """Raises ProblemsError if clusters can't switch from the roots of a commit to the current roots.

    A running istiod loads other roots only if one bundle contains the other: as bytes in 1.24, as certificates in 1.30.
    Raises UsageError for an unknown commit.
    """
    from meshc.issuing.cacerts import ROOTS
    from meshc.issuing.work import Work
    from meshc.trust.rotation import contains

    commits = Commits(opened.repository.base)
    work = Work(opened.repository, plan)
    path = work.certificate(ROOTS)
    now, before = work.read(path), commits.file(commits.commit(base), path)
    if before is None:
        return  # the commit had no roots
    if now is not None and not contains(now, before) and not contains(before, now):
        shown = opened.source.shown(path)
        what = f"neither do the roots of {base} hold these, nor these those: clusters would stop trusting one another"
        hint = "meshc ca rotate-root goes by way of a commit that trusts both"
        stop_on([codes.ROOTS_JUMP.at(Place(shown, 1, 1), what, hint)])

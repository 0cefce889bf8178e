"""past turns what only the clock and Git's history tell into words: what ends soon, roots that jumped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from meshc import codes
from meshc.errors import Place, stop_on
from meshc.pipeline import needs_of
from meshc.review.committed import Commits

if TYPE_CHECKING:
    from meshc.cli.opened import Opened
    from meshc.plan.ir import Plan

_SOON = 30
"""Days: what `check` tells without being asked. `ca status` has an option."""


def expiring(opened: Opened, plan: Plan) -> list[str]:
    """A line for each CA and each remote's credentials that have ended or end within thirty days."""
    from meshc.seal.authorities import rows
    from meshc.seal.ending import endings
    from meshc.seal.ending import expiring as soon
    from meshc.seal.work import Work

    work, now = Work(opened.repository, plan), datetime.now(UTC)
    found = rows(work, now, _SOON) if plan.ca == "plugged-in" else []
    lines = [f"{row.name}: its CA {row.state} ({row.until})" for row in found if row.expiring]
    return lines + [one.line(now) for one in endings(work, needs_of(plan)) if soon(one.end, now)]


def quiet_until(opened: Opened, plan: Plan) -> str:
    """When `expiring` first has something to tell, in UTC; empty where it has already, or a CA is amiss."""
    from meshc.seal.authorities import rows
    from meshc.seal.ending import endings
    from meshc.seal.ending import expiring as soon
    from meshc.seal.work import Work

    work, now = Work(opened.repository, plan), datetime.now(UTC)
    found = rows(work, now, _SOON) if plan.ca == "plugged-in" else []
    noted = [one.end for one in endings(work, needs_of(plan))]
    ends = [row.about.not_after for row in found if row.about and not row.broken and not row.expiring]
    whole = len(ends) == len(found) and (ends or plan.ca != "plugged-in") and not any(soon(end, now) for end in noted)
    first = min(ends + noted, default=None)
    return "" if not whole else instant(first - timedelta(days=_SOON)) if first else "9999"


def instant(time: datetime) -> str:
    """A time as text that sorts as times do."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def stop_on_a_jump(opened: Opened, plan: Plan, base: str) -> None:
    """Raises ProblemsError if root-cert.pem and the one of a commit share too little to go from one to other.

    istiod takes other roots at run time only where one bundle holds the other: by its bytes in 1.24, by its
    certificates in 1.30. Raises UsageError for no commit, and where Git doesn't know it.
    """
    from meshc.seal.cacerts import ROOTS
    from meshc.seal.work import Work
    from meshc.trust.rotation import contains

    commits = Commits(opened.repository.base)
    work = Work(opened.repository, plan)
    path = work.certificate(ROOTS)
    now, before = work.read(path), commits.file(commits.commit(base), path)
    if before is None:
        return  # there was none yet
    if now is not None and not contains(now, before) and not contains(before, now):
        shown = opened.source.shown(path)
        what = f"neither do the roots of {base} hold these, nor these those: clusters would stop trusting one another"
        hint = "meshc ca rotate-root goes by way of a commit that trusts both"
        stop_on([codes.ROOTS_JUMP.at(Place(shown, 1, 1), what, hint)])

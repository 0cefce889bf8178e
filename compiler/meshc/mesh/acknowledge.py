"""acknowledge turns the problems found and the acknowledgements written into the problems that are left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc import codes
from meshc.mesh.check_clusters import did_you_mean

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source


def silence(problems: Iterable[Problem], fleet: Fleet, source: Source, *, final: bool) -> list[Problem]:
    """Takes out what is acknowledged. An acknowledgement holds where it names every cluster of a problem.

    With `final`, when all problems are known, one that silences nothing is a problem of its own.
    """
    known = codes.every_code()
    left = list(problems)
    complaints: list[Problem] = []
    for number, entry in enumerate(fleet.mesh.spec.acknowledge):
        path = ("spec", "acknowledge", number)
        code = known.get(entry.code)
        chosen = set(fleet.choose(entry.clusters))
        meant = [p for p in left if p.code is code and (entry.clusters == "all" or (p.clusters and chosen.issuperset(p.clusters)))]
        if code is None:
            what = f"there is no code {entry.code}"
            complaints.append(source.problem(codes.ACKNOWLEDGES_NOTHING, (*path, "code"), what, did_you_mean(entry.code, known)))
        elif not code.acknowledgeable:
            what = f"{code.id} ({code.title}) must be solved; it can't be acknowledged"
            complaints.append(source.problem(codes.NOT_ACKNOWLEDGEABLE, (*path, "code"), what, code.advice))
        elif meant:
            left = [p for p in left if not any(p is one for one in meant)]
        elif final:
            what = f"nothing raises {code.id} here, so this acknowledges nothing"
            complaints.append(source.problem(codes.ACKNOWLEDGES_NOTHING, (*path, "code"), what, "take the entry out, or correct its clusters"))
    return left + complaints

"""Removes acknowledged problems, and reports acknowledgements without effect."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshc import codes
from meshc.checks.fleet.clusters import unknown_names
from meshc.errors import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence, Set

    from meshc.errors import Code, Problem
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source

_NAMED = 5
_MOST = 20
_RANGES = (codes.POD_OVERLAP, codes.SERVICE_OVERLAP, codes.SERVICE_OVERLAP_ISTIOD)


def silence(
    problems: Iterable[Problem],
    fleet: Fleet,
    source: Source,
    judged: Callable[[Code], bool],
    earlier: Iterable[Problem] = (),
) -> list[Problem]:
    """Takes out what is acknowledged. An acknowledgement holds where it names every cluster of a problem.

    One that silences nothing is a problem of its own, if `judged` says that all problems of its code are known, and
    if nothing is wrong: an error may have kept a check from running. `earlier` are problems that were settled before.
    """
    known = codes.every_code()
    new = list(problems)
    found = left = [*earlier, *new]
    idle: list[Problem] = []
    complaints: list[Problem] = []
    for number, entry in enumerate(fleet.mesh.spec.acknowledge):
        path = ("spec", "acknowledge", number)
        code = known.get(entry.code)
        chosen = set(fleet.choose_at(path, entry.clusters))
        everywhere = entry.clusters == "all" and path not in fleet.reach
        alike = [p for p in found if p.code is code]
        meant = [p for p in alike if everywhere or (p.clusters and chosen.issuperset(p.clusters))]
        if code is None:
            what = f"there is no code {entry.code}"
            hint = "write the code of a problem that meshc shows"
            complaints.append(source.problem(codes.ACKNOWLEDGES_NOTHING, (*path, "code"), what, hint))
        elif not code.acknowledgeable:
            what = f"{code.id} ({code.title}) must be solved; it can't be acknowledged"
            complaints.append(source.problem(codes.NOT_ACKNOWLEDGEABLE, (*path, "code"), what, code.advice))
        elif any(p is one for p in left for one in meant):
            left = [p for p in left if not any(p is one for one in meant)]
        elif judged(code) and not unknown_names(fleet, path, entry.clusters):  # said by another check
            what, hint = _idle(code, alike, meant, chosen, fleet.reach.get(path))
            complaint = source.problem(codes.ACKNOWLEDGES_NOTHING, (*path, "code"), what, hint)
            (complaints if meant or _overlaps(alike, chosen, everywhere) else idle).append(complaint)
    told = list(_together(_newest([p for p in left if any(p is one for one in new)])))
    if any(problem.severity is Severity.ERROR for problem in told):
        return [*told, *complaints]
    return [*told, *complaints, *idle]


def _overlaps(alike: Iterable[Problem], chosen: Set[str], everywhere: bool) -> bool:
    """True where an acknowledgement is about a part of a problem's clusters, which is so whatever else is wrong."""
    return not everywhere and any(chosen & {*problem.clusters} for problem in alike)


def _idle(
    code: Code, alike: Sequence[Problem], meant: Sequence[Problem], chosen: Set[str], reach: Set[str] | None
) -> tuple[str, str]:
    """Why an acknowledgement silences nothing, and what to do. `reach` are the clusters of its part, if it's in one."""
    if meant:
        return f"{code.id} is acknowledged by an earlier entry already", "remove one of the two"
    if not alike:
        return f"nothing raises {code.id} here", "remove the entry"
    for problem in alike:
        if chosen & {*problem.clusters}:
            who = f"{_few(problem.clusters)} together, and this doesn't name them all"
            names = ", ".join(problem.clusters)
            hint = f"write clusters: [{names}]" if len(problem.clusters) <= _MOST else "leave out clusters"
            beyond = reach is not None and not reach >= {*problem.clusters}
            return f"{code.id} is about {who}", f"move the entry to mesh.yaml, and {hint} there" if beyond else hint
    return (
        f"nothing raises {code.id} in the clusters chosen here",
        "remove the entry, or correct its clusters",
    )


def _newest(problems: Sequence[Problem]) -> Iterator[Problem]:
    """Of clusters that share a range, each is told with those before it. So the last tells of them all."""
    last: dict[object, Problem] = {}
    for problem in problems:
        if (key := _shared(problem)) and len(problem.clusters) > len(last[key].clusters if key in last else ()):
            last[key] = problem
    for problem in problems:
        longest = last.get(_shared(problem), problem)
        if longest is problem or not {*problem.clusters} <= {*longest.clusters}:
            yield problem


def _shared(problem: Problem) -> object:
    """What clusters share, without the name of the one that is told; nothing for other problems."""
    if problem.code not in _RANGES:
        return None
    return problem.code, problem.also[:1], problem.what.partition("'s ")[2].partition(" and ")[0]


def _together(problems: Iterable[Problem]) -> Iterator[Problem]:
    """One problem where several clusters have the same at one spot, as from an override for many."""
    groups: dict[object, list[Problem]] = {}
    for problem in problems:
        said = _about_one(problem)
        key = (problem.code, problem.place, said, problem.hint, problem.also) if said else id(problem)
        groups.setdefault(key, []).append(problem)
    for same in groups.values():
        names = list(dict.fromkeys(name for problem in same for name in problem.clusters))
        if len(names) < 2 or len(same) < 2:
            yield from same
            continue
        yield replace(same[0], what=f"{_few(names)}: {_about_one(same[0])}", clusters=tuple(names))


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _about_one(problem: Problem) -> str:
    """What is said after the name of the one cluster that it is about; empty if it begins otherwise."""
    if len(problem.clusters) != 1:
        return ""
    name, colon, said = problem.what.partition(": ")
    return said if colon and name == problem.clusters[0] else ""

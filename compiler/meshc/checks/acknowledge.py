"""Removes acknowledged problems, and reports acknowledgements without effect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from meshc import codes
from meshc.checks.fleet.clusters import unknown_names
from meshc.errors import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from meshc.errors import Code, Path, Problem
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.model.whole import Acknowledge
    from meshc.mesh.source import Source

_NAMED = 5


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
    new = list(problems)
    silenced: set[int] = set()
    idle: list[Problem] = []
    complaints: list[Problem] = []
    for claim in _claims(fleet, [*earlier, *new]):
        meant = {id(problem) for problem in claim.meant}
        if refused := claim.refused(source):
            complaints.append(refused)
        elif meant - silenced:
            silenced |= meant
        elif claim.code and judged(claim.code) and not unknown_names(fleet, claim.path, claim.entry.clusters):
            # an unknown name is said by another check
            (complaints if meant or claim.overlaps else idle).append(claim.idle(source))
    told = list(_together(problem for problem in new if id(problem) not in silenced))
    if any(problem.severity is Severity.ERROR for problem in told):
        return [*told, *complaints]
    return [*told, *complaints, *idle]


def _claims(fleet: Fleet, found: Sequence[Problem]) -> Iterator[_Claim]:
    """The entries of `acknowledge`, each with the problems of its code."""
    known = codes.every_code()
    for number, entry in enumerate(fleet.mesh.spec.acknowledge):
        path = ("spec", "acknowledge", number)
        code = known.get(entry.code)
        chosen = frozenset(fleet.choose_at(path, entry.clusters))
        everywhere = entry.clusters == "all" and path not in fleet.reach
        alike = [problem for problem in found if problem.code is code]
        yield _Claim(entry, path, code, chosen, everywhere, alike)


@dataclass(frozen=True, slots=True)
class _Claim:
    """An entry of `acknowledge`. `alike` are all problems of its code, `chosen` are its clusters."""

    entry: Acknowledge
    path: Path
    code: Code | None
    chosen: frozenset[str]
    everywhere: bool
    alike: Sequence[Problem]

    @property
    def meant(self) -> list[Problem]:
        """The problems that the entry silences."""
        return [p for p in self.alike if self.everywhere or (p.clusters and self.chosen.issuperset(p.clusters))]

    @property
    def overlaps(self) -> bool:
        """True where the entry is about a part of a problem's clusters, which is so whatever else is wrong."""
        return not self.everywhere and any(self.chosen & {*problem.clusters} for problem in self.alike)

    def refused(self, source: Source) -> Problem | None:
        """Why the code can't be acknowledged; None if it can."""
        if self.code is None:
            what = f"there is no code {self.entry.code}"
            hint = "write the code of a problem that meshc shows"
            return source.problem(codes.ACKNOWLEDGES_NOTHING, (*self.path, "code"), what, hint)
        if self.code.acknowledgeable:
            return None
        what = f"{self.code.id} ({self.code.title}) must be solved; it can't be acknowledged"
        return source.problem(codes.NOT_ACKNOWLEDGEABLE, (*self.path, "code"), what, self.code.advice)

    def idle(self, source: Source) -> Problem:
        """The problem of an entry that silences nothing."""
        what, hint = self._why_idle()
        return source.problem(codes.ACKNOWLEDGES_NOTHING, (*self.path, "code"), what, hint)

    def _why_idle(self) -> tuple[str, str]:
        code = self.entry.code
        if self.meant:
            return f"{code} is acknowledged by an earlier entry already", "remove one of the two"
        if self.everywhere or not self.alike:
            return f"nothing raises {code} here", "remove the entry"
        for problem in self.alike:
            if self.chosen & {*problem.clusters}:
                names = ", ".join(problem.clusters)
                return f"{code} is about {names} together, and this doesn't name them all", f"write clusters: [{names}]"
        return f"nothing raises {code} in the clusters chosen here", "remove the entry, or correct its clusters"


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
        shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        yield replace(same[0], what=f"{shown}: {_about_one(same[0])}", clusters=tuple(names))


def _about_one(problem: Problem) -> str:
    """What is said after the name of the one cluster that it is about; empty if it begins otherwise."""
    if len(problem.clusters) != 1:
        return ""
    name, colon, said = problem.what.partition(": ")
    return said if colon and name == problem.clusters[0] else ""

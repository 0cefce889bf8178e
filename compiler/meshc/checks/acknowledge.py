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
_MOST = 20
_RANGES = (codes.POD_OVERLAP, codes.SERVICE_OVERLAP, codes.SERVICE_OVERLAP_ISTIOD)


def silence(
    problems: Iterable[Problem],
    fleet: Fleet,
    source: Source,
    judged: Callable[[Code], bool],
    earlier: Iterable[Problem] = (),
) -> list[Problem]:
    """Removes acknowledged problems. An entry acknowledges a problem only if it names all clusters of the problem.

    An entry that silences nothing is reported too, but only if `judged` says that all problems of its code are known,
    and if there is no error, as an error can stop a check from running. `earlier` has problems of earlier calls.
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
            # another check reports unknown names
            (complaints if meant or claim.overlaps else idle).append(claim.idle(source))
    told = list(_together(_newest([problem for problem in new if id(problem) not in silenced])))
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
        alike = [problem for problem in found if problem.code is code]
        yield _Claim(entry, path, code, chosen, fleet.reach.get(path), alike)


@dataclass(frozen=True, slots=True)
class _Claim:
    """An entry of `acknowledge`. `alike` has all problems of its code, `chosen` the clusters that it names.

    If the entry is in a part of mesh.yaml, `reach` has the clusters of that part; else it is None.
    """

    entry: Acknowledge
    path: Path
    code: Code | None
    chosen: frozenset[str]
    reach: frozenset[str] | None
    alike: Sequence[Problem]

    @property
    def everywhere(self) -> bool:
        """True if the entry is about all clusters of the mesh."""
        return self.entry.clusters == "all" and self.reach is None

    @property
    def meant(self) -> list[Problem]:
        """The problems that the entry silences."""
        return [p for p in self.alike if self.everywhere or (p.clusters and self.chosen.issuperset(p.clusters))]

    @property
    def overlaps(self) -> bool:
        """True if the entry names some clusters of a problem. Errors elsewhere don't change the answer."""
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
        if not self.alike:
            return f"nothing raises {code} here", "remove the entry"
        for problem in self.alike:
            if self.chosen & {*problem.clusters}:
                what = f"{code} is about {_few(problem.clusters)} together, but this entry doesn't name them all"
                few = len(problem.clusters) <= _MOST
                hint = f"write clusters: [{', '.join(problem.clusters)}]" if few else "leave out clusters"
                beyond = self.reach is not None and not self.reach >= {*problem.clusters}
                return what, f"move the entry to mesh.yaml, and {hint} there" if beyond else hint
        return f"nothing raises {code} in the clusters chosen here", "remove the entry, or correct its clusters"


def _newest(problems: Sequence[Problem]) -> Iterator[Problem]:
    """The problems, without those whose clusters a later problem includes. Each cluster that shares a range is reported
    together with the clusters before it, so the last problem names all of them."""
    last: dict[object, Problem] = {}
    for problem in problems:
        if (key := _shared(problem)) and len(problem.clusters) > len(last[key].clusters if key in last else ()):
            last[key] = problem
    for problem in problems:
        longest = last.get(_shared(problem), problem)
        if longest is problem or not {*problem.clusters} <= {*longest.clusters}:
            yield problem


def _shared(problem: Problem) -> object:
    """A key for the range that a problem is about, without the cluster's name; None for problems of other kinds."""
    if problem.code not in _RANGES:
        return None
    return problem.code, problem.also[:1], problem.what.partition("'s ")[2].partition(" and ")[0]


def _together(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Merges equal problems of several clusters at one place, for example from an override for many clusters."""
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
    """The message without the cluster's name at its start; empty unless it starts with the name of its only cluster."""
    if len(problem.clusters) != 1:
        return ""
    name, colon, said = problem.what.partition(": ")
    return said if colon and name == problem.clusters[0] else ""

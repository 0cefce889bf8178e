"""Limits the output of a command to the selected clusters, and counts what is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from meshc.errors import Severity
from meshc.output.trees import cluster_of
from meshc.overlays.layout import BASES
from meshc.plain import count

if TYPE_CHECKING:
    from meshc.commands.clusters import Choice
    from meshc.errors import Problem
    from meshc.plan.ir import Plan
    from meshc.review.diff import Difference, Entry
    from meshc.review.settings import Setting


@dataclass(frozen=True, slots=True)
class Focus:
    """The names of the selected clusters, and the shared copies that one of them gets."""

    whole: bool
    names: frozenset[str]
    others: frozenset[str]
    bases: frozenset[str]
    left: str
    """A text with the number of clusters that are left out; empty if none are."""

    @staticmethod
    def on(plan: Plan, choice: Choice) -> Focus:
        """Applies a selection. Raises UsageError if it matches no cluster."""
        names = frozenset(choice.of(plan)) if choice else frozenset(cluster.name for cluster in plan.clusters)
        bases = frozenset(base.name for base in plan.bases if not names.isdisjoint(base.clients))
        others = frozenset(cluster.name for cluster in plan.clusters) - names
        words = f"{len(others)} of {count(len(plan.clusters), 'cluster')} left out" if others else ""
        return Focus(not choice, names, others, bases, words)

    def problems(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """All errors, and the problems of selected clusters or of no particular cluster."""
        return tuple(one for one in problems if one.severity is Severity.ERROR or self.holds(one.clusters))

    def holds(self, clusters: Iterable[str]) -> bool:
        """True if one of the clusters is selected. An empty list means all clusters."""
        named = [*clusters]
        return self.whole or not named or not self.names.isdisjoint(named)

    def pending(self, lines: Iterable[str]) -> tuple[str, ...]:
        """The lines, without those that start with the name of another cluster."""
        return tuple(line for line in lines if line.partition(": ")[0] not in self.others)

    def takes(self, path: str) -> bool:
        """True if a file of the trees belongs to a selected cluster, or to copies for one."""
        parts = path.split("/")
        shared = len(parts) > 2 and parts[1] == BASES and parts[2] in self.bases
        return self.whole or shared or cluster_of(path) in self.names

    def plan(self, plan: Plan) -> Plan:
        """The plan of only these clusters."""
        if self.whole:
            return plan
        clusters = tuple(cluster for cluster in plan.clusters if cluster.name in self.names)
        bases = tuple(
            replace(base, clients=tuple(name for name in base.clients if name in self.names))
            for base in plan.bases
            if base.name in self.bases
        )
        return replace(plan, clusters=clusters, bases=bases)

    def difference(self, difference: Difference) -> Difference:
        """The differences in these clusters."""
        if self.whole:
            return difference
        entries = [self._entry(entry) for entry in difference.entries]
        before, after = (tuple(one for one in names if one in self.names) for names in _sides(difference))
        renamed = {old: new for old, new in difference.renamed.items() if new in self.names}
        kept = tuple(entry for entry in entries if entry.clusters)
        return replace(difference, entries=kept, before=before, after=after, renamed=renamed)

    def _entry(self, entry: Entry) -> Entry:
        moved = entry.origin in self.names
        return replace(entry, clusters=tuple(one for one in entry.clusters if moved or one in self.names))

    def settings(self, settings: Iterable[Setting]) -> tuple[Setting, ...]:
        """The settings that change in these clusters."""
        found = []
        for one in settings:
            names = one.clusters if self.whole else tuple(name for name in one.clusters if name in self.names)
            found += [replace(one, clusters=names)] if names else []
        return tuple(found)


def _sides(difference: Difference) -> tuple[Sequence[str], Sequence[str]]:
    return difference.before, difference.after

"""Summarizes a difference by cluster: its changes, and its dangers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from meshc.review.diff import Action

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.review.diff import Difference
    from meshc.review.settings import Setting

State = Literal["added", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class Touched:
    """A cluster that a change affects: its number of objects by action, and the codes of its dangers.

    `settings` is the number of versions, images and Helm values that change.
    """

    cluster: str
    state: State
    add: int
    change: int
    delete: int
    settings: int
    dangers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """Clusters with the same number of changes of each kind."""

    clusters: tuple[str, ...]
    first: Touched


def touched(difference: Difference, dangers: Sequence[Problem], settings: Sequence[Setting]) -> tuple[Touched, ...]:
    """Every cluster with changes: first clusters that leave or join, then by the number of dangers and changes."""
    counts: dict[str, Counter[Action]] = {name: Counter() for name in difference.clusters}
    for entry in difference.entries:
        action = Action.ADD if entry.action is Action.MOVE else entry.action
        for name in entry.clusters:
            if name in counts and not entry.stays:
                counts[name][action] += 1
        if entry.origin in counts:
            counts[entry.origin][Action.DELETE] += 1
    named = {name for danger in dangers for name in danger.clusters}
    set_there = Counter(name for setting in settings for name in setting.clusters)
    known = {*difference.before, *difference.after}
    names = sorted({*counts, *difference.renamed.values(), *((named | {*set_there}) & known)})
    found = []
    for name in names:
        number = counts.get(name, Counter[Action]())
        codes = tuple(sorted({danger.code.id for danger in dangers if name in danger.clusters}))
        found.append(
            Touched(
                name,
                _state(name, difference),
                number[Action.ADD],
                number[Action.CHANGE],
                number[Action.DELETE],
                set_there[name],
                codes,
            )
        )
    return tuple(sorted(found, key=_order))


def _state(name: str, difference: Difference) -> State:
    if name not in difference.after:
        return "removed"
    return "added" if name not in difference.before else "changed"


def _order(one: Touched) -> tuple[object, ...]:
    return ("removed", "added", "changed").index(one.state), -len(one.dangers), -one.delete - one.change, one.cluster


def alike(found: Sequence[Touched]) -> list[Alike]:
    """Groups clusters that differ only in their names."""
    groups: dict[object, list[Touched]] = {}
    for one in found:
        key = (one.state, one.add, one.change, one.delete, one.settings, one.dangers)
        groups.setdefault(key, []).append(one)
    return [Alike(tuple(one.cluster for one in members), members[0]) for members in groups.values()]


def kinds(difference: Difference) -> list[tuple[Action, str, int, int]]:
    """Action, kind of object, number of objects and number of clusters, the largest number first."""
    objects: Counter[tuple[Action, str]] = Counter()
    clusters: dict[tuple[Action, str], set[str]] = {}
    for entry in difference.entries:
        if not entry.stays:
            key = entry.action, entry.identity.kind
            objects[key] += len(entry.clusters)
            clusters.setdefault(key, set()).update(entry.clusters)
    return [(*key, number, len(clusters[key])) for key, number in objects.most_common()]

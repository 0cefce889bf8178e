"""Puts rows together of which the same is told, so that three hundred clusters need no three hundred lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
_ALIKE = 4
"""Up to this number, rows of which the same is told have one line each."""
_NAMED = 3


def alike(rows: Sequence[T], told: Callable[[T], object]) -> Iterator[list[T]]:
    """Rows, each by itself; where the same is told of many, these together, at the place of the first."""
    groups: dict[object, list[T]] = {}
    for row in rows:
        groups.setdefault(told(row), []).append(row)
    for row in rows:
        same = groups[told(row)]
        if len(same) <= _ALIKE:
            yield [row]
        elif row is same[0]:
            yield same


def named(clusters: Sequence[str]) -> str:
    """The first of many clusters, and how many there are more."""
    more = f" and {len(clusters) - _NAMED} more" if len(clusters) > _NAMED else ""
    return ", ".join(clusters[:_NAMED]) + more

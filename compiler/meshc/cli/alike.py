"""Groups rows with the same text, so that 300 clusters don't need 300 lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from meshc.commands.secrets_status import Standing

T = TypeVar("T")
_ALIKE = 4
"""Up to this number, rows with the same text have one line each."""
_NAMED = 3


def alike(rows: Sequence[T], told: Callable[[T], object]) -> Iterator[list[T]]:
    """Yields the rows one by one. If many have the same text, yields them together, at the position of the first."""
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
    """The first clusters, and the number of further ones."""
    more = f" and {len(clusters) - _NAMED} more" if len(clusters) > _NAMED else ""
    return ", ".join(clusters[:_NAMED]) + more


def files(same: Sequence[Standing]) -> str:
    """The first file, and the number of further ones."""
    return same[0].file + (f" and {len(same) - 1} more" if len(same) > 1 else "")

"""Joins equal pending lines of several clusters into one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from meshc.plain import count, plain

_ALIKE = 4
"""Up to this number, clusters with the same text have one line each."""
_NAMED, _LINES = 3, 12


def grouped(pending: Sequence[str]) -> list[str]:
    """A line for each cluster, or one line for many clusters with the same text. At most a dozen lines."""
    groups: dict[str, list[str]] = {}
    for line in pending:
        name, colon, said = line.partition(": ")
        groups.setdefault(said if colon else line, []).append(name if colon else "")
    lines = [plain(line) for said, names in groups.items() for line in _lines(said, names)]
    more = len(lines) - _LINES
    return lines if more <= 0 else [*lines[:_LINES], f"and {count(more, 'more line')}: --format json"]


def _lines(said: str, names: Sequence[str]) -> Iterator[str]:
    if len(names) <= _ALIKE:
        yield from (f"{name}: {said}" if name else said for name in names)
    else:
        yield f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more: {said}"

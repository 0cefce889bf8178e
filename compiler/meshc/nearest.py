"""Finds the name that a person may have meant, at a cost that doesn't grow with the number of names."""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Iterable

_ALL, _BESIDE = 100, 6
_LONGEST = 253


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that looks most like `name`. Among many, only those beside it in the alphabet are compared."""
    names = sorted(known)
    if len(names) > _ALL:
        place = bisect_left(names, name)
        names = names[max(place - _BESIDE, 0) : place + _BESIDE]
    close = difflib.get_close_matches(name, names, 1, cutoff) if len(name) <= _LONGEST else []
    return close[0] if close else None

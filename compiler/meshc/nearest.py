"""Finds the name that the user may have meant. The cost doesn't grow with the number of names."""

from __future__ import annotations

import difflib
import re
from bisect import bisect_left
from collections.abc import Iterable

from meshc.errors import Rewrite

_ALL, _BESIDE = 100, 6
_LONGEST = 253


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that is most similar to `name`. If there are many names, only its neighbours in the alphabet are
    compared."""
    names = sorted(known)
    if len(names) > _ALL:
        place = bisect_left(names, name)
        names = names[max(place - _BESIDE, 0) : place + _BESIDE]
    close = difflib.get_close_matches(name, names, 1, cutoff) if len(name) <= _LONGEST else []
    return close[0] if close else None


def slip(name: str, known: Iterable[str]) -> Rewrite | None:
    """The fix that replaces `name` by a known name; None if more than one name could be meant.

    The known name must be the only one that differs in case, in separators, or by one letter that is missing, added or
    swapped. A different digit or letter is another name: `edge-2` never becomes `edge-1`, nor `shop-b` `shop-a`.
    """
    plain = _plain(name)
    if len(name) > _LONGEST:
        return None
    close = {one for one in known if abs(len(one) - len(name)) <= _SEPARATORS and _is_slip(plain, _plain(one))}
    return Rewrite(name, close.pop()) if len(close) == 1 else None


_SEPARATORS = 4


def _plain(name: str) -> str:
    return re.sub(r"[-_. ]", "", name.casefold())


def _is_slip(one: str, other: str) -> bool:
    if one == other:
        return True
    if _digits(one) != _digits(other):
        return False
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) == 1:
        return len(short) >= _SHORTEST and any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
    swapped = (long[:at] + long[at + 1] + long[at] + long[at + 2 :] for at in range(len(long) - 1))
    return len(short) == len(long) >= _SHORTEST and short in swapped


_SHORTEST = 3


def _digits(name: str) -> str:
    return re.sub(r"[^0-9]", "", name)

"""Finds the parts in which two lists differ, at a bounded cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

_PAIRS = 2_000_000
"""The maximum number of pairs of equal items that are compared. Files by people have far fewer."""
_LONG = 200
"""From this length on, SequenceMatcher leaves out the items of which there are more than 1 % (difflib, autojunk)."""


def differing(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """The start and end of each part that differs, in the old list and in the new one.

    Lists with very many equal items give one part: everything between their common start and their common end.
    """
    first = _common(zip(old, new, strict=False))
    most = min(len(old), len(new)) - first
    last = min(_common(zip(reversed(old), reversed(new), strict=False)), most)
    inner = old[first : len(old) - last], new[first : len(new) - last]
    if _pairs(*inner) <= _PAIRS:
        yield from _weighed(*inner, first)
    else:
        yield first, len(old) - last, first, len(new) - last


def unified(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """The lines of a unified diff without context. The common end is left out first, because then a new document begins
    with its `---`."""
    end = _common(zip(reversed(before), reversed(after), strict=False))
    start = min(_common(zip(before, after, strict=False)), min(len(before), len(after)) - end)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    for first, last, first_new, last_new in differing(old, new):
        yield f"@@ -{_range(start + first, start + last)} +{_range(start + first_new, start + last_new)} @@"
        yield from (f"-{line}" for line in old[first:last])
        yield from (f"+{line}" for line in new[first_new:last_new])


def _range(first: int, last: int) -> str:
    """Lines in the form of a unified diff, which names the line before an empty range."""
    return str(last) if last == first + 1 else f"{first + (last > first)},{last - first}"


def _pairs(old: Sequence[str], new: Sequence[str]) -> int:
    """The number of pairs that SequenceMatcher compares: of long lists, it leaves out the items that occur often."""
    often = len(new) // 100 + 1 if len(new) >= _LONG else len(new)
    counts = {item: count for item, count in Counter(new).items() if count <= often}
    return sum(counts.get(item, 0) for item in old)


def _weighed(old: Sequence[str], new: Sequence[str], first: int) -> Iterator[tuple[int, int, int, int]]:
    for operation, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        if operation != "equal":
            yield first + a, first + b, first + c, first + d


def _common(pairs: Iterable[tuple[str, str]]) -> int:
    number = 0
    for one, other in pairs:
        if one != other:
            break
        number += 1
    return number

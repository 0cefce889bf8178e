"""What differs between two lists, also where nearly all items are equal to each other."""

from __future__ import annotations

import pytest

from meshc.review.differing import differing
from meshc.review.objects import texts

SAME = ["x"] * 20_000


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ([], [], []),
        (["a"], ["a"], []),
        (["a", "b", "c"], ["a", "x", "c"], [(1, 2, 1, 2)]),
        (["a", "a"], ["a", "a", "a"], [(2, 2, 2, 3)]),
        (["a", "b", "c", "d"], ["b", "c", "e", "d"], [(0, 1, 0, 0), (3, 3, 2, 3)]),
        (["a", *SAME, "b"], ["a", "c", *SAME, "d", "b"], [(1, 20_001, 1, 20_003)]),
        ([*SAME, "b"], [*SAME, "c"], [(20_000, 20_001, 20_000, 20_001)]),
    ],
)
def test_the_parts_that_differ(old: list[str], new: list[str], parts: list[tuple[int, ...]]) -> None:
    assert list(differing(old, new)) == parts


def test_empty_lines_at_the_end_of_a_text_are_a_difference() -> None:
    one = b"kind: A\ndata:\n  text: |+\n    a\n"

    assert list(texts(one + b"---\n" + one)) == [one, one]
    assert list(texts(one + b"\n---\n" + one + b"\n")) == [one + b"\n", one + b"\n"]

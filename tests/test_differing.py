"""What differs between two lists, also where nearly all items are equal to each other."""

from __future__ import annotations

import random
import re

import pytest

from meshc.review.differing import differing, unified
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


def _applied(before: list[str], lines: list[str]) -> list[str]:
    """The list after a unified diff without context."""
    after, at = [], 0
    for line in lines:
        if found := re.fullmatch(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line):
            gone = int(found[2] or 1)
            start = int(found[1]) - (gone > 0)
            after += before[at:start]
            at = start + gone
            assert len(after) + (found[4] != "0") == int(found[3])
        elif line[0] == "+":
            after.append(line[1:])
    return after + before[at:]


def test_a_unified_diff_leads_from_one_list_to_the_other() -> None:
    chance = random.Random("differing")
    for _ in range(2000):
        before, after = ([chance.choice("abc-") for _ in range(chance.randrange(9))] for _ in range(2))
        assert _applied(before, list(unified(before, after))) == after
    assert not list(unified(before, before))


def test_a_new_document_begins_with_its_mark() -> None:
    old = ["kind: A", "name: a", "---", "kind: A", "name: c"]
    new = [*old[:3], "kind: A", "name: b", *old[2:]]

    assert list(unified(old, new)) == ["@@ -2,0 +3,3 @@", "+---", "+kind: A", "+name: b"]

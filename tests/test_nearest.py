"""The name that was meant is found, among few names and among many."""

from __future__ import annotations

import pytest

from meshc.nearest import nearest

MANY = tuple(f"edge-{number}-{zone}" for number in range(400) for zone in ("north", "south"))


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("eedge-1", ("edge-1", "hub"), "edge-1"),
        ("bank", ("edge-1", "hub"), None),
        ("hub", (), None),
        ("edge-7-sout", MANY, "edge-7-south"),
        ("edge-399-nort", MANY, "edge-399-north"),
        ("e" * 1_000_000, MANY, None),
    ],
)
def test_the_nearest_name(name: str, known: tuple[str, ...], found: str | None) -> None:
    assert nearest(name, known) == found

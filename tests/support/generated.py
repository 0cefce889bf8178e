"""Checks files of the repository that `make docs` generates from the code."""

from __future__ import annotations

from support.paths import ROOT


def assert_current(path: str, made: str) -> None:
    """Fails if a committed file differs from what the code generates now."""
    assert (ROOT / path).read_text() == made, f"{path} is older than the code that it is made from; run: make docs"

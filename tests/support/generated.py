"""Files of the repository that `make docs` makes from the code."""

from __future__ import annotations

from support.paths import ROOT


def assert_current(path: str, made: str) -> None:
    """A committed file is what the code makes of it today."""
    assert (ROOT / path).read_text() == made, f"{path} is older than the code that it is made from; run: make docs"

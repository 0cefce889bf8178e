"""Compares the output of a program with the output that a page of the documentation shows."""

from __future__ import annotations

import re

AFTER_THE_TUTORIAL = tuple(
    f"docs/{name}.md" for name in ("join-and-leave", "services", "rotate", "lost-key", "argo-cd-sealed-secrets")
)
"""Guides whose commands continue with the mesh of the tutorial."""

FOLLOWED = ("docs/tutorial.md", "docs/zh/tutorial.md", *AFTER_THE_TUTORIAL)
"""Pages whose commands start in an empty folder. The commands of other pages run in a copy of the sample mesh."""


def fits(actual: str, shown: str) -> bool:
    """True if the output matches. A line `...` matches any lines, and ` ...` in a line matches any words or the rest of
    the line."""
    pattern = ""
    for line in shown.splitlines():
        words = (re.escape(part) for part in re.split(r" \.\.\.(?= |$)", line))
        pattern += "(?:.*\n)*" if line == "..." else " .*".join(words) + "\n"
    return re.fullmatch(pattern, actual) is not None

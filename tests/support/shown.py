"""Whether what a program printed is what a page of the documentation shows."""

from __future__ import annotations

import re

AFTER_THE_TUTORIAL = tuple(
    f"docs/{name}.md" for name in ("join-and-leave", "services", "rotate", "lost-key", "argo-cd-sealed-secrets")
)
"""Guides whose commands continue the mesh of the tutorial."""

FOLLOWED = ("docs/tutorial.md", "docs/zh/tutorial.md", *AFTER_THE_TUTORIAL)
"""Pages that are followed from an empty folder on. The commands of the others run in a copy of the sample mesh."""


def fits(actual: str, shown: str) -> bool:
    """A line `...` stands for any lines, and ` ...` within a line for any rest of it or any words."""
    pattern = ""
    for line in shown.splitlines():
        words = (re.escape(part) for part in re.split(r" \.\.\.(?= |$)", line))
        pattern += "(?:.*\n)*" if line == "..." else " .*".join(words) + "\n"
    return re.fullmatch(pattern, actual) is not None

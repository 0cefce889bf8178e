"""Reads the blocks of code, links and anchors of a Markdown page."""

from __future__ import annotations

import re
from collections import Counter

BLOCK = re.compile(r"^( *)```([a-z]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def blocks(text: str) -> list[tuple[str, str]]:
    """Each block of code: its language, which may be empty, and its text without the indentation of the block."""
    return [
        (language, re.sub(rf"^{indent}", "", code, flags=re.MULTILINE))
        for indent, language, code in BLOCK.findall(text)
    ]


def links(text: str) -> list[str]:
    """The targets of a page's links and pictures."""
    prose = re.sub(r"`[^`\n]*`", "X", BLOCK.sub("", text))
    return re.findall(r"\]\(([^()\s]+)\)", prose) + re.findall(r'(?:src|href)="([^"]+)"', prose)


def anchors(text: str) -> set[str]:
    """The anchors that a code host and the site make from a page's headings."""
    found: Counter[str] = Counter()
    made = set()
    for heading in re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        made.add(slug if not found[slug] else f"{slug}-{found[slug]}")
        found[slug] += 1
    return made

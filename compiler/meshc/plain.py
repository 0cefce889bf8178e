"""Escapes text from files, so that it can't mislead a terminal or a reader."""

from __future__ import annotations


def plain(text: str) -> str:
    """The text with control and format characters escaped, such as line breaks and marks that reverse the direction of
    text."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def short(text: str, width: int) -> str:
    """The escaped text, cut to at most `width` characters."""
    safe = plain(text[: width + 1])
    return safe if len(safe) <= width else f"{safe[:width]}..."


def count(number: int, noun: str) -> str:
    """`1 cluster`, `2 clusters`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

"""Formats a difference for a terminal, and marks the words that differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from meshc.plain import plain, short
from meshc.review.blocks import blocks
from meshc.review.change import leaving
from meshc.review.danger import LEAVING
from meshc.review.diff import Action, Difference

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.review.compare import Edit
    from meshc.review.settings import Setting

Paint = Callable[[str, str], str]
"""Colours a text for the terminal, from the text and the name of the colour."""

_SIGNS = {
    Action.ADD: ("+", "green"),
    Action.DELETE: ("-", "red"),
    Action.CHANGE: ("~", "yellow"),
    Action.MOVE: (">", "cyan"),
}
_WIDTH = 160


def lines(
    difference: Difference, dangers: Sequence[Problem], paint: Paint, settings: Sequence[Setting] = ()
) -> Iterator[str]:
    """The lines in order: the summary, the dangers, changed settings, then every group."""
    yield paint(difference.summary, "white")
    for problem in dangers:
        yield f"{paint('danger', 'red')} {problem.code.id} {plain(str(problem.place))}: {plain(problem.what)}"
        yield f"  hint: {problem.hint}"
    if leaving(difference):
        yield "when a cluster leaves:"
        yield from (f"  {number}. {line}" for number, line in enumerate(LEAVING, 1))
    for old, new in difference.renamed.items():
        yield f"{plain(old)} is compared with {plain(new)}, its new name"
    yield from (f"{paint('~', 'yellow')} {setting}" for setting in settings)
    for block in blocks(difference):
        sign, colour = ("=", "cyan") if block.stays else _SIGNS[block.action]
        yield f"{paint(f'{sign} {plain(block.title)}', colour)}  [{plain(block.where)}]"
        for edit in block.edits:
            yield from _edit(edit, paint)


def _edit(edit: Edit, paint: Paint) -> Iterator[str]:
    path = plain(edit.path)
    if edit.before is None or edit.after is None or edit.several:
        yield f"    {path}"
        for sign, colour, text in (("-", "red", edit.before), ("+", "green", edit.after)):
            for line in text.split("\n") if text is not None else ():
                yield f"      {paint(f'{sign} {short(line, _WIDTH)}', colour)}"
        return
    old, new = _words(short(edit.before, _WIDTH), short(edit.after, _WIDTH), paint)
    yield f"    {path}: {old} -> {new}"


def _words(before: str, after: str, paint: Paint) -> tuple[str, str]:
    """Both texts, with the words that differ coloured."""
    old, new = (re.findall(r"\w+|\W", text) for text in (before, after))
    sides: tuple[list[str], list[str]] = ([], [])
    for operation, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for side, words, colour in ((sides[0], old[a:b], "red"), (sides[1], new[c:d], "green")):
            text = "".join(words)
            side.append(text if operation == "equal" or not text else paint(text, colour))
    return "".join(sides[0]) or '""', "".join(sides[1]) or '""'

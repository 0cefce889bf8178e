"""Writes other scalars in place of some of a YAML text, and leaves every other character unchanged.

It finds keys and values by their place and their text, so it can fix a text with errors too. It compares the tokens of
the result: if other tokens differ too, it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml
from yaml import tokens

from meshc.errors import Rewrite
from meshc.yamltext.document import Mark
from meshc.yamltext.edit import inline


class Span(NamedTuple):
    """The range of a scalar: its first character, and the one after its last, counted from the start of the text."""

    start: int
    end: int


def spans(text: str, wanted: Mapping[Mark, Rewrite]) -> Mapping[Mark, Span]:
    """The rewrites whose scalar is on one line and has the expected text, with their ranges."""
    found: dict[Mark, Span] = {}
    for token in _tokens(text):
        mark = (token.start_mark.line + 1, token.start_mark.column + 1)
        rewrite = wanted.get(mark)
        if rewrite is None or not isinstance(token, tokens.ScalarToken) or token.style in ("|", ">"):
            continue
        span = Span(token.start_mark.index, token.end_mark.index)
        if token.value == rewrite.was and "\n" not in text[span.start : span.end]:
            found[mark] = span
    return found


def rewritten(text: str, wanted: Mapping[Mark, Rewrite]) -> str:
    """The text after all rewrites that are possible. Never raises for an invalid text."""
    found = spans(text, wanted)
    result = text
    for mark, span in sorted(found.items(), key=lambda one: -one[1].start):
        result = result[: span.start] + written(text[span.start : span.end], wanted[mark]) + result[span.end :]
    expected = list(_told(text, {found[mark].start: wanted[mark].value for mark in found}))
    return result if expected == list(_told(result, {})) else text


def written(raw: str, rewrite: Rewrite) -> str:
    """The spelling of the new value instead of `raw`: with the same quotes, if possible."""
    value = rewrite.value
    if isinstance(value, str) and raw[:1] in ("'", '"') and value.isprintable() and not {"'", '"', "\\"} & {*value}:
        return f"{raw[0]}{value}{raw[0]}"
    return inline(value)


def _tokens(text: str) -> Iterator[Any]:
    try:
        yield from yaml.scan(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return


def _told(text: str, instead: Mapping[int, Any]) -> Iterator[tuple[str, object]]:
    """The tokens of a text: the kind of each token, and the text of scalars; some scalars are replaced by new texts."""
    for token in _tokens(text):
        value = getattr(token, "value", None)
        if token.start_mark.index in instead and isinstance(token, tokens.ScalarToken):
            wanted = instead[token.start_mark.index]
            value = wanted if isinstance(wanted, str) else inline(wanted)
        yield type(token).__name__, value

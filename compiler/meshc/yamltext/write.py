"""Writes an object as YAML in kustomize's own style, so that `kustomize build` leaves an unpatched object unchanged,
byte for byte. kustomize's writer is goyaml.v2, fed through JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cmp_to_key, lru_cache
from itertools import combinations
from typing import Any

import yaml
from yaml import events

from meshc.yamltext.scalars import WHOLE, needs_quotes


def write(body: Mapping[str, Any]) -> str:
    """One YAML document in kustomize's style. Raises TypeError for anything that JSON doesn't have.

    Equal to kustomize's output, except for strings that contain U+0085 or a byte order mark or end in U+2028 or U+2029,
    and for keys like `2`, `12` and `1a` in one mapping, which kustomize writes in varying order.
    """
    if not isinstance(body, Mapping):
        raise TypeError(f"a document must be a mapping, not {type(body).__name__}")
    lines: list[str] = []
    try:
        return "".join(lines) if body and _add_lines(body, "", "", lines) else by_libyaml(body)
    except (UnicodeEncodeError, OverflowError) as error:
        raise TypeError(f"JSON has no such value: {error}") from None


def by_libyaml(body: Mapping[str, Any]) -> str:
    """The same, for all texts, with libyaml. `write` uses it for objects that it can't write directly."""
    stream: list[events.Event] = [events.StreamStartEvent(), events.DocumentStartEvent(explicit=False)]
    _add(body, stream)
    stream += [events.DocumentEndEvent(explicit=False), events.StreamEndEvent()]
    text: str = yaml.emit(stream, Dumper=yaml.CSafeDumper, width=80, allow_unicode=True)
    # libyaml marks the end after a literal block that keeps its last blank lines; kustomize doesn't.
    return text.removesuffix("...\n") if text.endswith("\n...\n") else text


def _add_lines(value: Any, first: str, margin: str, lines: list[str]) -> bool:
    """Appends a non-empty mapping or sequence, line by line, if YAML has only one spelling for each of its texts.

    This is true for most objects, and libyaml takes five times as long. `first` is the start of the first line,
    `margin` of the others. Returns False if libyaml must write the object.
    """
    if isinstance(value, _LISTS):
        for item in value:
            if _is_nested(item):
                if not _add_lines(item, f"{first}- ", f"{margin}  ", lines):
                    return False
            elif (text := _leaf(item, margin)) is not None:
                lines.append(f"{first}- {text}\n")
            else:
                return False
            first = margin
        return True
    names = _names(tuple(value))
    for key, name in names or ():
        item = value[key]
        if _is_nested(item):
            lines.append(f"{first}{name}:\n")
            below = margin if isinstance(item, _LISTS) else f"{margin}  "
            if not _add_lines(item, below, below, lines):
                return False
        elif (text := _leaf(item, margin)) is not None:
            lines.append(f"{first}{name}: {text}\n")
        else:
            return False
        first = margin
    return names is not None


_LISTS = (list, tuple)
_NESTED = (dict, *_LISTS, Mapping)
"""Tests frequent types first."""


def _is_nested(item: Any) -> bool:
    """True if a value continues on the next lines: a non-empty mapping or list."""
    return not isinstance(item, str) and isinstance(item, _NESTED) and bool(item)


@lru_cache(maxsize=1024)
def _names(keys: tuple[str, ...]) -> tuple[tuple[str, str], ...] | None:
    """The keys in order, each with its spelling; None if libyaml must decide. Objects have few different sets of keys,
    so the result is cached."""
    names = [(key, _word(key)) for key in in_order(keys)]
    told = tuple((key, name) for key, name in names if name is not None and len(name) <= _LONGEST_KEY)
    return told if len(told) == len(keys) else None


_LONGEST_KEY = 100
"""Characters; YAML has another form for keys of more than 128."""
_REST = r"[A-Za-z0-9/._,+=\[\]()|^$\\-]"
_WORDS = re.compile(rf"(?!\.\.\.)[A-Za-z0-9/._^]{_REST}*+(?::{_REST}++)*+")
"""A text without spaces, in which no character has a meaning in YAML at its position."""
_LINES = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?\n)++")
"""Lines that can be in a literal block unchanged: no line is empty, or begins or ends with a space."""


def _leaf(value: Any, margin: str) -> str | None:
    """The spelling of a value on one line; None if libyaml must decide."""
    if isinstance(value, str):
        return _block(value, margin) if "\n" in value else _word(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    raise TypeError(f"JSON has no {type(value).__name__}")


def _block(text: str, margin: str) -> str | None:
    """A literal block, without the end of its last line."""
    text = str.__str__(text)
    lines = text.splitlines() if _LINES.fullmatch(text) else ()
    return "|\n" + "\n".join(f"{margin}  {line}" for line in lines) if lines else None


@lru_cache(maxsize=4096)
def _word(text: str) -> str | None:
    text = str.__str__(text)  # of an enum's member the text alone
    if not text:
        return '""'
    if not _WORDS.fullmatch(text):
        return None
    return f'"{text}"' if needs_quotes(text) else text


def _add(value: Any, stream: list[events.Event]) -> None:
    """Appends the events of `value`, as goyaml.v2's encoder makes them."""
    if isinstance(value, str):
        stream.append(_text(value))
    elif isinstance(value, Mapping):
        stream.append(events.MappingStartEvent(None, None, True, flow_style=False))
        for key in in_order(value):
            # As a key, a bare "<<" would merge.
            stream.append(_scalar(key, '"') if key == "<<" else _text(key))
            _add(value[key], stream)
        stream.append(events.MappingEndEvent())
    elif isinstance(value, list | tuple):
        stream.append(events.SequenceStartEvent(None, None, True, flow_style=False))
        for item in value:
            _add(item, stream)
        stream.append(events.SequenceEndEvent())
    elif value is None:
        stream.append(_scalar("null"))
    elif isinstance(value, bool):
        stream.append(_scalar("true" if value else "false"))
    elif isinstance(value, int | float):
        stream.append(_scalar(_number(value)))
    else:
        raise TypeError(f"JSON has no {type(value).__name__}")


def _scalar(text: str, style: str | None = None) -> events.ScalarEvent:
    return events.ScalarEvent(None, None, (True, True), text, style=style)


def _text(text: str) -> events.ScalarEvent:
    plain = str.__str__(text)  # of an enum's member the text alone
    return _scalar(plain, "|" if "\n" in plain else '"' if needs_quotes(plain) else None)


def _number(value: int | float) -> str:
    """The number as Go writes it after a conversion through JSON: an integer if possible, else `%g`, shortest."""
    if isinstance(value, int) and value in WHOLE:
        return str(int(value))
    value = float(value)
    if not math.isfinite(value):
        raise TypeError(f"JSON has no {value}")
    exact = Decimal(repr(value))
    if exact == exact.to_integral_value() and int(exact) in WHOLE:
        return str(int(exact))
    exponent = exact.adjusted()
    if -5 < exponent < 6:
        return f"{exact:f}"
    digits = "".join(map(str, exact.as_tuple().digits)).rstrip("0")
    mantissa = f"{digits[0]}.{digits[1:]}".rstrip(".")
    return f"{'-' if value < 0 else ''}{mantissa}e{exponent:+03d}"


_BYTE_ORDER = re.compile("[ -/A-Za-z]*")


def in_order(keys: Iterable[str]) -> list[str]:
    """The keys in goyaml.v2's natural order. Raises TypeError for a key that isn't a string."""
    keys = sorted(keys)
    if _BYTE_ORDER.fullmatch("".join(keys)):
        return keys
    return sorted(keys, key=cmp_to_key(_compare))


def is_ordered(keys: Sequence[str]) -> bool:
    """True if these keys have only one natural order."""
    return all(_compare(one, other) < 0 for one, other in combinations(keys, 2))


def _compare(one: str, other: str) -> int:
    """Negative if `one` comes first: https://github.com/yaml/go-yaml/blob/v2.4.0/sorter.go.

    Runs of digits compare as numbers, letters come after the rest. It is no order: `2` < `12` < `1a` < `2`.
    """
    for at, (a, b) in enumerate(zip(one, other, strict=False)):
        if a == b:
            continue
        if a.isalpha() or b.isalpha():
            return ord(a) - ord(b) if a.isalpha() and b.isalpha() else 1 if a.isalpha() else -1
        lead = 1 if "0" in (a, b) and _digits_before(one[:at]).strip("0") else 0
        return -1 if (*_run(one, at, lead), a) < (*_run(other, at, lead), b) else 1
    return len(one) - len(other)


def _digits_before(text: str) -> str:
    start = len(text)
    while start and text[start - 1].isdecimal():
        start -= 1
    return text[start:]


def _run(text: str, at: int, number: int) -> tuple[int, int]:
    """The number at `at`, in Go's 64 bits, and the end of its digits."""
    while at < len(text) and text[at].isdecimal():
        number = number * 10 + ord(text[at]) - ord("0")
        at += 1
    return (number + 2**63) % 2**64 - 2**63, at

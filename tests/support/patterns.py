"""Finds every regular expression of the package and the methods that use it, and makes strings on which it may be
slow."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

METHODS = {"match", "fullmatch", "search", "findall", "finditer", "split", "sub", "subn"}
_MODULE = {*METHODS, "compile"}
_ENDS = ("", "\x00", "\n", "\n\x00", "-\x00", " ", "a")
_MOST = 6
"""The maximum number of sample strings for a part of a pattern."""


@dataclass(frozen=True)
class Use:
    """A pattern with the methods that use it."""

    where: str
    pattern: re.Pattern[Any]
    methods: frozenset[str]


def built_from_values(file: Path) -> Iterator[str]:
    """The calls of re in functions whose pattern isn't a literal text."""
    functions = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, _FUNCTIONS)]
    for call in (call for function in functions for call in _calls(function)):
        if not isinstance(call.args[0], ast.Constant):
            yield f"{file.name}: {ast.unparse(call)}"


_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def written_in(file: Path) -> Iterator[tuple[str, str | bytes, str]]:
    """Place, pattern and method of each pattern that is a literal text in a call of re, or of pydantic's Field."""
    tree = ast.parse(file.read_text())
    for call in _calls(tree):
        value, method = _constant(call.args[0]), call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if value is not None and method != "compile":
            yield f"{file.name}:{call.lineno}", value, method
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "pattern" and (value := _constant(node.value)) is not None:
            yield f"{file.name}:{node.value.lineno}", value, "search"


def _constant(node: ast.expr) -> str | bytes | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) else None


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        called = node.func if isinstance(node, ast.Call) and node.args else None
        if isinstance(called, ast.Attribute) and called.attr in _MODULE and ast.unparse(called.value) == "re":
            assert isinstance(node, ast.Call)
            yield node


def methods_in(file: Path) -> Mapping[str, set[str]]:
    """The methods that are called on each name, such as `fullmatch` on `_URL`."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(file.read_text())):
        if (
            isinstance(node, ast.Attribute)
            and node.attr in METHODS
            and isinstance(node.value, ast.Name | ast.Attribute)
        ):
            name = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            found.setdefault(name, set()).add(node.attr)
    return found


def held_by(value: Any, depth: int = 3) -> Iterator[re.Pattern[Any]]:
    """The patterns in a value: the value itself, its items, or the variables of a closure."""
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, Mapping):
        for item in (*value.keys(), *value.values()):
            yield from held_by(item, depth - 1)
    elif depth and isinstance(value, tuple | list | set | frozenset):
        for item in value:
            yield from held_by(item, depth - 1)
    elif depth and hasattr(value, "__metadata__"):
        yield from held_by(value.__metadata__, depth - 1)
    elif depth and hasattr(value, "func") and callable(value.func):
        cells = getattr(value.func, "__closure__", None) or ()
        yield from held_by([cell.cell_contents for cell in cells], depth - 1)


def hostile(pattern: re.Pattern[Any], length: int) -> Iterator[str]:
    """Strings that repeat the loops of a pattern, with a prefix that leads to the loop and an end that doesn't
    match."""
    tree = _parser.parse(
        pattern.pattern, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags
    )
    letters = sorted(set(_literals(tree)))
    pumps = dict.fromkeys((*_pumps(tree, letters), *letters))
    for (lead, pump), end in itertools.product(
        ((lead, pump) for pump in pumps for lead in ("", *_leads(tree, letters))), _ENDS
    ):
        if pump:
            yield lead + pump * (length // len(pump)) + end


def _leads(tree: Any, letters: list[str]) -> Iterable[str]:
    """The prefixes that lead to each loop at the top of the pattern."""
    items = list(tree)
    before = [number for number, (op, _) in enumerate(items) if op in _LOOPS][:3]
    return dict.fromkeys(text for number in before if number for text in _samples(items[:number], letters)[:1])


_LOOPS = {c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT}


def _pumps(items: Any, letters: list[str], lead: str = "") -> Iterator[str]:
    """Samples of each loop's content, of whole runs of items, and of the pattern from its start to each loop."""
    items = list(items)
    for number, (op, value) in enumerate(items):
        before = lead + _samples(items[:number], letters)[0]
        if op in _LOOPS:
            yield from _samples(value[2], letters)
            yield from _samples(items[: number + 1], letters)[:2]
            yield from _samples(items[number : number + 2], letters)[:2]
            yield lead + _samples(items[: number + 1], letters)[-1]
            yield before
        for inner in _inner(op, value):
            yield from _pumps(inner, letters, before)


def _inner(op: Any, value: Any) -> list[Any]:
    """The parts of an item that are patterns themselves."""
    if op in _LOOPS:
        return [value[2]]
    if op is c.SUBPATTERN:
        return [value[3]]
    if op is c.ATOMIC_GROUP:
        return [value]
    if op in (c.ASSERT, c.ASSERT_NOT):
        return [value[1]]
    return list(value[1]) if op is c.BRANCH else []


def _samples(items: Any, letters: list[str]) -> list[str]:
    """A few strings that match a part of a pattern."""
    found = [""]
    for op, value in items:
        forms = _forms(op, value, letters)
        found = list(dict.fromkeys(a + b for b in forms for a in found))[:_MOST]
    return found


def _forms(op: Any, value: Any, letters: list[str]) -> list[str]:
    if op is c.LITERAL:
        return [chr(value)]
    if op in (c.NOT_LITERAL, c.ANY, c.IN):
        fits = [letter for letter in (*letters, "a", "0", "-", " ", "\n", "\t", "A", "~") if _fits(op, value, letter)]
        return list(dict.fromkeys(fits))[:_MOST] or ["\x7f"]
    if op in _LOOPS:
        least, most, inner = value
        once = _samples(inner, letters)
        return [
            *([""] if least == 0 else ()),
            *(text * max(least, 1) for text in once),
            *([once[0] * 2] if most > 2 else ()),
        ]
    if op is c.SUBPATTERN:
        return _samples(value[3], letters)
    if op is c.ATOMIC_GROUP:
        return _samples(value, letters)
    if op is c.BRANCH:
        return [text for one in value[1] for text in _samples(one, letters)[:2]]
    return [""]


def _fits(op: Any, value: Any, letter: str) -> bool:
    if op is c.ANY:
        return letter != "\n"
    if op is c.NOT_LITERAL:
        return bool(ord(letter) != value)
    negated = bool(value) and value[0][0] is c.NEGATE
    return negated != any(_is_in(kind, one, letter) for kind, one in value)


_CATEGORIES = {
    c.CATEGORY_DIGIT: r"\d", c.CATEGORY_NOT_DIGIT: r"\D", c.CATEGORY_SPACE: r"\s",
    c.CATEGORY_NOT_SPACE: r"\S", c.CATEGORY_WORD: r"\w", c.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


def _is_in(kind: Any, one: Any, letter: str) -> bool:
    if kind is c.LITERAL:
        return bool(ord(letter) == one)
    if kind is c.RANGE:
        return bool(one[0] <= ord(letter) <= one[1])
    return kind is c.CATEGORY and re.match(_CATEGORIES[one], letter) is not None


def _literals(items: Any) -> Iterator[str]:
    for op, value in items:
        if op in (c.LITERAL, c.NOT_LITERAL):
            yield chr(value)
        elif op is c.IN:
            yield from (chr(one) for kind, one in value if kind is c.LITERAL)
        for inner in _inner(op, value):
            yield from _literals(inner)

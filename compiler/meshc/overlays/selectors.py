"""Parses a label selector as Kubernetes does (apimachinery, pkg/labels).

Each character is read once. It refuses the same texts as Kubernetes, because kustomize parses selectors with that code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(r"[ \t\r\n]*+(==|!=|[=!(),<>]|[^ \t\r\n=!(),<>]++)?")
_END = ""
_SYMBOLS = frozenset(("==", "!=", "=", "!", "(", ")", ",", "<", ">", _END))
_EQUAL, _COMPARED, _SET = ("=", "==", "!="), ("<", ">"), ("in", "notin")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_WHOLE = re.compile(r"[-+]?[0-9]+")


@dataclass(frozen=True, slots=True)
class Requirement:
    """The condition of a selector on one key. Without an operator, the key must exist; with `!`, it must not."""

    key: str
    operator: str = ""
    values: frozenset[str] = frozenset()

    def holds(self, labels: Mapping[str, Any]) -> bool:
        value = labels.get(self.key)
        if value is None or self.operator in ("", "!"):
            return (value is None) == (self.operator in ("!", "!=", "notin"))
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if self.operator in _COMPARED:
            return self._compares(text)
        return (text in self.values) == (self.operator not in ("!=", "notin"))

    def _compares(self, value: str) -> bool:
        here, there = _number(value), _number(next(iter(self.values)))
        if here is None or there is None:
            return False
        return here > there if self.operator == ">" else here < there


def parse_selector(text: str) -> tuple[Requirement, ...]:
    """The requirements of a selector. Raises ValueError with the reason if Kubernetes refuses the text."""
    tokens = [found[1] or _END for found in _TOKEN.finditer(text)]
    reader = _Reader(tokens)
    found: list[Requirement] = []
    while reader.next != _END or found:
        found.append(reader.requirement())
        if reader.take() == _END:
            break
    return tuple(found)


class _Reader:
    """The tokens of a selector, read from left to right."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at = tokens, 0

    @property
    def next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def take(self) -> str:
        token = self.next
        self._at += 1
        return token

    def requirement(self) -> Requirement:
        absent = self.next == "!"
        if absent:
            self.take()
        key = self._word("a key")
        _check_key(key)
        if absent or self.next in (_END, ","):
            self._end()
            return Requirement(key, "!" if absent else "")
        operator = self.take()
        if operator in _SET:
            values = self._listed()
        elif operator in (*_EQUAL, *_COMPARED):
            values = frozenset((_END if self.next in (_END, ",") else self._word("a value"),))
        else:
            raise ValueError(f"expected an operator such as =, != or in, found {_shown(operator)}")
        self._end()
        for value in values:
            _check_value(value, operator)
        return Requirement(key, operator, values)

    def _listed(self) -> frozenset[str]:
        """Parses `(a, b)`. Between two commas there is an empty value, and another value must follow."""
        if (token := self.take()) != "(":
            raise ValueError(f"expected (, found {_shown(token)}")
        values: set[str] = set()
        if self.next == ")":
            values.add("")
        while self.next != ")":
            if self.next != ",":
                values.add(self._word("a value"))
                if self.next not in (",", ")"):
                    raise ValueError(f"expected a comma or ), found {_shown(self.next)}")
                continue
            self.take()
            if not values or self.next in (",", ")"):
                values.add("")
            if self.next == ",":
                self.take()
                if self.next == ")":
                    raise ValueError("expected a value, found )")
        self.take()
        return frozenset(values)

    def _word(self, what: str) -> str:
        token = self.take()
        if token in _SYMBOLS:
            raise ValueError(f"expected {what}, found {_shown(token)}")
        return token

    def _end(self) -> None:
        if self.next not in (_END, ","):
            raise ValueError(f"expected a comma, found {_shown(self.next)}")


def _shown(token: str) -> str:
    return "the end of the text" if token == _END else token[:80]


def _check_key(key: str) -> None:
    prefix, slash, name = key.rpartition("/")
    if slash and not (len(prefix) <= 253 and _PREFIX.fullmatch(prefix)):
        raise ValueError(f"{_shown(key)} isn't a valid label key: its prefix must be a DNS-1123 subdomain")
    if len(name) > 63 or not _NAME.fullmatch(name):
        raise ValueError(f"{_shown(key)} isn't a valid label key: use at most 63 letters, digits, -, _ and .")


def _check_value(value: str, operator: str) -> None:
    if len(value) > 63 or (value and not _NAME.fullmatch(value)):
        raise ValueError(f"{_shown(value)} isn't a valid label value: use at most 63 letters, digits, -, _ and .")
    if operator in _COMPARED and _number(value) is None:
        raise ValueError(f"the value after {operator} must be a whole number, found {_shown(value)}")


def _number(text: str) -> int | None:
    """A whole number of 64 bits, parsed as by Go's ParseInt; None for other text."""
    if not _WHOLE.fullmatch(text):
        return None
    digits = text.lstrip("+-").lstrip("0")
    number = int(digits or "0") if len(digits) < 20 else 1 << 64
    number = -number if text.startswith("-") else number
    return number if -(1 << 63) <= number < 1 << 63 else None

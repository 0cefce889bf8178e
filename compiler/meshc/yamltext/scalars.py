"""Resolves plain scalars by YAML 1.2's core schema, and finds those that older parsers read differently."""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Mapping
from typing import Any

# Plain scalars. The core schema: https://yaml.org/spec/1.2.2/#103-core-schema
NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLS: Mapping[str, bool] = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
SWITCHES = frozenset(("y", "yes", "n", "no", "on", "off"))
_OLD_BOOLS = frozenset(form for word in SWITCHES for form in (word, word.capitalize(), word.upper()))
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_LARGEST = 300  # characters of a whole number: beyond that no float holds it, and kustomize takes it as text


def resolve(text: str) -> Any:
    """The value of a plain scalar. A number that is too large for a float, a number with leading zeros (`010`), and
    `.inf` and `.nan`, which JSON doesn't have, are read as text."""
    if text in NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _DECIMAL.fullmatch(text) and len(text) <= _LARGEST:
        return int(text)
    if _BASED.fullmatch(text) and len(text) <= _LARGEST:
        return int(text, 0)
    if _FLOAT.fullmatch(text) and math.isfinite(value := float(text)):
        return value
    return text


def is_misread(text: str, value: Any) -> bool:
    """True if YAML 1.1 reads a plain scalar as another value that is text here. Dates are allowed."""
    return isinstance(value, str) and needs_quotes(text) and not _is_timestamp(text)


def is_rewritten(text: str, value: Any) -> bool:
    """True if kustomize changes a plain scalar that is text here: a date, or digits with _."""
    if not isinstance(value, str) or not needs_quotes(text):
        return False
    return ":" not in text and (_is_timestamp(text) or "_" in text or text[:2].lower() == "0b")


# What goyaml.v2, kustomize's writer, puts into double quotes because YAML 1.1 doesn't read it as text:
# https://github.com/yaml/go-yaml/blob/v2.4.0/resolve.go, with Go's own rules for numbers and dates.
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_PREFIXED = re.compile(r"[-+]?0(?:[xX][0-9a-fA-F]+|[bB][01]+|[oO][0-7]+)")
_POINT_FIRST = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_TIME = r"(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](?:[.,][0-9]+)?"
_ZONE = r"(?:Z|[-+](?:[01][0-9]|2[0-4]):(?:[0-5][0-9]|60))"
_TIMESTAMP = re.compile(rf"([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}})(?:[Tt]{_TIME}{_ZONE}| +{_TIME})?")
WHOLE = range(-(2**63), 2**64)  # int64 and uint64


def needs_quotes(text: str) -> bool:
    if text in NULLS or text in _BOOLS or text in _OLD_BOOLS:
        return True
    if text[0] not in "+-.0123456789":
        return False
    if text[0] == "." or _INFINITE.fullmatch(text):
        number = _POINT_FIRST.fullmatch(text)
        return bool(_INFINITE.fullmatch(text)) or (number is not None and math.isfinite(float(text)))
    digits = text.replace("_", "")
    if _NUMBER.fullmatch(digits):
        return math.isfinite(float(digits))
    if _PREFIXED.fullmatch(digits):
        return int(digits, 0) in WHOLE
    return bool(_SEXAGESIMAL.fullmatch(text)) or _is_timestamp(text)


def _is_timestamp(text: str) -> bool:
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return False
    year, month, day = (
        int(match[1]) or 2000,
        int(match[2]),
        int(match[3]),
    )  # Go has a year 0, and it is a leap year
    return 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]

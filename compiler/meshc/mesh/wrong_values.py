"""Explains values that mesh.yaml can't have: a wrong type, a word that isn't allowed, or a broken rule."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.errors import Fix, Path, Problem
from meshc.kube import LABEL
from meshc.mesh.known_keys import known_keys, nearest_of
from meshc.mesh.model import Mesh
from meshc.nearest import slip

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from meshc.yamltext.document import Document


NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


def wrong_type(
    document: Document, path: Path, value: Any, wanted: str, whole: type[BaseModel] = Mesh
) -> tuple[str, str]:
    """What is wrong with a value of the wrong type, and what to write instead."""
    text = document.text(path)
    if value is None:
        return f"must be {wanted}, but it is empty", "write a value, or remove the key"
    if wanted == "text" and text is not None:
        hint = f'write "{text}" (with quotes)'
        if path[-2:] == ("istio", "version"):
            hint = "write a full version such as 1.29.6"
        return f"must be text, but {text} is {kind_of(value)} in YAML", hint
    if wanted == "a whole number" and isinstance(value, float):
        return f"must be a whole number, not {text or value}", ""
    hint = "write it as a list: [...]" if wanted == "a list" else ""
    if wanted == "a mapping" and (known := known_keys(path, whole)):
        hint = f"known keys: {', '.join(known)}"
    if wanted == "true or false" and isinstance(value, str):
        hint = "write true or false, without quotes"
    if wanted == "a whole number" and isinstance(value, str) and NUMBER.fullmatch(value):
        hint = f"write {value}, without quotes"
    return f"must be {wanted}, not {kind_of(value)}", hint


def not_one_of(document: Document, path: Path, value: Any, detail: ErrorDetails) -> Problem:
    """The problem of a value that isn't one of the allowed words."""
    name, place = document.name(path), document.place(path)
    known: list[str] = _choices(detail)
    fix: Fix | None = None
    if not isinstance(value, str):
        wanted = f"one of {', '.join(known)}" if len(known) > 1 else known[0]
        hint = f"write {known[0]}" if len(known) == 1 else "write one of these values"
        return codes.WRONG_TYPE.at(place, f"{name}: must be {wanted}, not {kind_of(value)}", hint, path=name)
    if known == ["all"]:
        what, hint = (
            f"{shown(value)} isn't all, a list of names, or a mapping",
            f"write [{value if LABEL.fullmatch(value) else 'name'}] for one cluster",
        )
    elif len(known) == 1:
        what, hint = f'{shown(value)} isn\'t "{known[0]}"', f"write {known[0]}"
        fix = slip(value, known)
    else:
        what = f"{shown(value)} isn't one of {', '.join(known)}"
        hint = nearest_of(value, known) or "write one of these values"
        fix = slip(value, known)
    return codes.BAD_VALUE.at(place, f"{name}: {what}", hint, path=name, fix=fix)


def _choices(detail: ErrorDetails) -> list[str]:
    """The words that pydantic's message about a literal lists."""
    expected = str((detail.get("ctx") or {}).get("expected", ""))
    return [word.strip("' ") for word in expected.replace(" or ", ",").split(",")]


_TOO_SHORT = ("string_too_short", "too_short")


def rule(detail: ErrorDetails) -> str:
    """The rule that a value breaks, in words."""
    kind, words = detail["type"], detail.get("ctx") or {}
    if kind in ("greater_than_equal", "less_than_equal"):
        return "must be between 1 and 65535"
    if kind in _TOO_SHORT:
        return "must not be empty"
    if kind in ("string_too_long", "too_long"):
        return f"is longer than {words.get('max_length')}"
    if kind == "string_pattern_mismatch":
        return "must be a code such as MESH218"  # the only pattern that pydantic itself checks
    return detail["msg"]


def mended(value: str, rule: str) -> str:
    """The nearest name that keeps a rule for lower case letters; empty for other rules."""
    if "lower case" not in rule or is_pattern(value):
        return ""
    kept = "-." if "joined by dots" in rule else "-"
    text = "".join(c if c.isascii() and (c.isalnum() or c in kept) else "-" for c in value.lower())
    parts = ("-".join(part for part in label.split("-") if part) for label in text.split("."))
    better = ".".join(part for part in parts if part)[:63].strip("-.")
    return better if better != value else ""


def shown(value: Any) -> str:
    """A value as a message shows it: shortened, and empty for mappings and lists."""
    if isinstance(value, str):
        return json.dumps(value if len(value) <= 60 else value[:57] + "...", ensure_ascii=False) if value else ""
    return str(value) if isinstance(value, int | float) else ""


def kind_of(value: Any) -> str:
    """The type of a value, in words."""
    names = {
        dict: "a mapping",
        tuple: "a list",
        str: "text",
        bool: "a boolean",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), "nothing")


def is_pattern(value: str) -> bool:
    """True if a text looks like a pattern of names."""
    return any(sign in value for sign in "*?[")

"""parse turns the document in mesh.yaml into a `Mesh`, or into problems that say what to write instead."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from meshc import codes
from meshc.errors import Path, Problem, dotted
from meshc.mesh.model import NOT_YET, NOT_YET_VALUES, Mesh

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from meshc.yamltext import Document

_TYPES = {
    "string_type": "text",
    "string_sub_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
}


def parse(document: Document) -> tuple[Mesh | None, list[Problem]]:
    """The mesh that the document describes, or every fault of its shape. Never raises for bad input."""
    try:
        return Mesh.model_validate(document.data), []
    except ValidationError as error:
        return None, [_problem(document, detail) for detail in error.errors(include_url=False)]


def _problem(document: Document, detail: ErrorDetails) -> Problem:
    path, value = _where(document.data, detail["loc"])
    kind = detail["type"]
    name = dotted(path)
    if kind == "extra_forbidden":
        return _unknown_key(document, path)
    if kind == "missing":
        parent = dotted(path[:-1]) or "mesh.yaml"
        return codes.MISSING_KEY.at(document.place(path[:-1]), f'{parent}: "{path[-1]}" is missing', f"add {path[-1]}:", path=name)
    place = document.place(path)
    if kind in _TYPES:
        what, hint = _wrong_type(document, path, value, _TYPES[kind])
        return codes.WRONG_TYPE.at(place, f"{name or 'mesh.yaml'}: {what}", hint, path=name)
    words = detail.get("ctx") or {}
    if kind == "literal_error":
        return _not_one_of(document, path, value, detail)
    if kind == "wrong_form":
        return codes.WRONG_TYPE.at(place, f"{name}: {detail['msg']}, not {_kind_of(value)}", path=name)
    hint = "" if kind != "bad_name" or not isinstance(value, str) else _lowered(value)
    return codes.BAD_VALUE.at(place, f"{name}: {_shown(value)} {_rule(kind, words, detail['msg'])}", hint, path=name)


def _where(data: Any, loc: tuple[int | str, ...]) -> tuple[Path, Any]:
    """The path inside the document, without the tags that unions and key checks add, and the value there."""
    path: list[str | int] = []
    for position, step in enumerate(loc):
        if isinstance(data, dict) and step in data:
            data = data[step]
        elif isinstance(data, tuple) and isinstance(step, int) and step < len(data):
            data = data[step]
        elif position == len(loc) - 1 and isinstance(data, dict) and isinstance(step, str) and step != "[key]":
            return (*path, step), None
        else:
            continue
        path.append(step)
    return tuple(path), path[-1] if loc and loc[-1] == "[key]" else data


def _unknown_key(document: Document, path: Path) -> Problem:
    plain = tuple(step for step in path if isinstance(step, str))
    place, name = document.key_place(path), dotted(path)
    if plain in NOT_YET:
        return codes.NOT_YET.at(place, f"{name}: {NOT_YET[plain]}", "take it out", path=name)
    known = known_keys(path[:-1])
    key = str(path[-1])
    close = difflib.get_close_matches(key, known, 1) or [k for k in known if k.lower() == key.lower()]
    hint = f'did you mean "{close[0]}"?' if close else f"known here: {', '.join(known)}" if known else ""
    return codes.UNKNOWN_KEY.at(place, f'{dotted(path[:-1]) or "mesh.yaml"}: unknown key "{key}"', hint, path=name)


def known_keys(path: Path) -> list[str]:
    """The keys that the mapping at `path` may hold, as they are written."""
    models: list[type[BaseModel]] = [Mesh]
    for step in path:
        if isinstance(step, int):
            continue
        models = [
            model
            for parent in models
            for field in parent.model_fields.values()
            if field.alias == step
            for model in _models_in(field.annotation)
        ]
    return [field.alias or "" for model in models for field in model.model_fields.values()]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _wrong_type(document: Document, path: Path, value: Any, wanted: str) -> tuple[str, str]:
    text = document.texts.get(path)
    if value is None:
        return f"must be {wanted}, but nothing is written", "write a value, or take the key out"
    if wanted == "text" and text is not None:
        return f"must be text, but {text} is {_kind_of(value)} in YAML", f'write "{text}" (with quotes)'
    hint = "write it as a list: [...]" if wanted == "a list" else ""
    if wanted == "true or false" and isinstance(value, str):
        hint = "write true or false, without quotes"
    if wanted == "a whole number" and isinstance(value, str) and value.isdigit():
        hint = f"write {value}, without quotes"
    return f"must be {wanted}, not {_kind_of(value)}", hint


def _not_one_of(document: Document, path: Path, value: Any, detail: ErrorDetails) -> Problem:
    plain = tuple(step for step in path if isinstance(step, str))
    name, place = dotted(path), document.place(path)
    later = NOT_YET_VALUES.get(plain, {})
    if isinstance(value, str | bool) and value in later:
        return codes.NOT_YET.at(place, f"{name}: {later[value]}", path=name)
    expected = str((detail.get("ctx") or {}).get("expected", "")).replace("'", '"')
    known = [word.strip('" ') for word in expected.replace(" or ", ",").split(",")]
    close = difflib.get_close_matches(str(value), known, 1)
    hint = f'did you mean "{close[0]}"?' if close else ""
    return codes.BAD_VALUE.at(place, f"{name}: {_shown(value)} isn't one of {', '.join(known)}", hint, path=name)


def _rule(kind: str, words: dict[str, Any], message: str) -> str:
    if kind in ("greater_than_equal", "less_than_equal"):
        return "must be between 1 and 65535"
    if kind in ("string_too_short", "too_short"):
        return "must not be empty"
    if kind in ("string_too_long", "too_long"):
        return f"is longer than {words.get('max_length')}"
    if kind == "string_pattern_mismatch":
        return f"must match {words.get('pattern')}"
    return message


def _lowered(value: str) -> str:
    better = "-".join(part for part in "".join(c if c.isascii() and c.isalnum() else "-" for c in value.lower()).split("-") if part)
    return f'write "{better[:63]}"' if better and better != value else ""


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value if len(value) <= 60 else value[:57] + "...", ensure_ascii=False)
    return _kind_of(value)


def _kind_of(value: Any) -> str:
    names = {dict: "a mapping", tuple: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "nothing")

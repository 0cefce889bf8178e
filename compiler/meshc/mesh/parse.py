"""Parses the document of mesh.yaml into a `Mesh`, or returns problems that say what to write instead."""

from __future__ import annotations

import json
import posixpath
import re
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from meshc import codes
from meshc.errors import Fix, Path, Problem, Rewrite
from meshc.kube import LABEL, at
from meshc.mesh.known_keys import known_keys, models_at, nearest_of, unknown_key
from meshc.mesh.model import PARTS, Mesh
from meshc.nearest import slip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

    from meshc.yamltext.document import Document

Entry = TypeVar("Entry", bound=BaseModel)

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
    """The mesh that the document describes, or every fault of its structure. Never raises for bad input."""
    if isinstance(document.data, dict) and document.data.get("kind") == "MeshPart":
        what, hint = "kind: MeshPart is a part, which a mesh includes", "name the mesh.yaml that includes it: -f"
        return None, [codes.BAD_VALUE.at(document.place(("kind",)), what, hint, path="kind")]
    try:
        return Mesh.model_validate(document.data), []
    except ValidationError as error:
        details = error.errors(include_url=False)
        return None, [_problem(document, detail) for detail in details if not _is_echo(document, detail)]


def faults_of_frame(document: Document, shape: type[BaseModel]) -> list[Problem]:
    """Problems of a part above the items of its lists. The items are checked together with all others."""
    try:
        shape.model_validate(document.data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        return [_problem(document, detail, shape) for detail in details if len(detail["loc"]) <= _FRAME]
    return []


_FRAME = 2


def entries_of(
    document: Document, at: Path, items: Sequence[Any], shape: type[Entry]
) -> tuple[list[Entry], list[Problem]]:
    """The valid items of the list at a path, and the problems of the others."""
    found: list[Entry] = []
    problems: list[Problem] = []
    for number, item in enumerate(items):
        try:
            found.append(shape.model_validate(item))
        except ValidationError as error:
            details = [{**one, "loc": (*at, number, *one["loc"])} for one in error.errors(include_url=False)]
            problems += [_problem(document, one) for one in details if not _is_echo(document, one)]  # type: ignore[arg-type]
    return found, problems


def _is_echo(document: Document, detail: ErrorDetails) -> bool:
    """True if a list counts as empty only because its items are invalid, which is reported for each of them."""
    return detail["type"] == "too_short" and bool(_where(document.data, detail["loc"])[1])


def _problem(document: Document, detail: ErrorDetails, whole: type[BaseModel] = Mesh) -> Problem:
    path, value = _where(document.data, detail["loc"])
    kind = detail["type"]
    name = document.name(path)
    if kind == "extra_forbidden":
        return unknown_key(document, path, whole=whole)
    if kind == "missing":
        what = f'{document.name(path[:-1]) or posixpath.basename(document.file)}: "{path[-1]}" is missing'
        return codes.MISSING_KEY.at(document.place(path[:-1]), what, f"add {path[-1]}:{_example(path)}", path=name)
    is_key = detail["loc"][-1:] == ("[key]",)
    if kind == "unknown_part":
        return unknown_key(document, path, PARTS)
    place = document.key_place(path) if is_key else document.place(path)
    if kind in _TYPES:
        what, hint = _wrong_type(document, path, value, _TYPES[kind], whole)
        fix = _typed(document, path, value, _TYPES[kind])
        return codes.WRONG_TYPE.at(
            place, f"{name or posixpath.basename(document.file)}: {what}", hint, path=name, fix=fix
        )
    if kind == "literal_error":
        return _not_one_of(document, path, value, detail)
    if kind == "wrong_form":
        return codes.WRONG_TYPE.at(place, f"{name}: {detail['msg']}, not {_kind_of(value)}", path=name)
    what = " ".join(part for part in (_shown(value), _rule(detail)) if part)
    better = _mended(value, detail["msg"]) if isinstance(value, str) and kind == "bad_name" else ""
    fix = slip(value, [better]) if better else None
    hint = f'write "{better}"' if better else ""
    if isinstance(value, str) and kind == "bad_name" and "lower case" in detail["msg"] and _is_pattern(value):
        hint = "write whole names: patterns aren't read here"
    if hint and not is_key and (meant := _cluster_of_id(document, value)) and _KEYS_OF_NAMES.intersection(path):
        hint, fix = f'clusterID "{value}" belongs to cluster {meant}: write {meant}', Rewrite(str(value), meant)
    if path[-1:] == ("clusterID",) and isinstance(value, str):
        better = re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9._-]", "-", value)).strip("-.")[:253]
        hint = f'give istiod there the ID "{better}" (CLUSTER_ID), and write it here' if better else ""
    if not value and kind in _TOO_SHORT:
        hint = "write at least one" if isinstance(value, tuple) else "write a value"
    return codes.BAD_VALUE.at(place, f"{name}: {what}", hint, path=name, fix=fix)


def _typed(document: Document, path: Path, value: Any, wanted: str) -> Fix | None:
    """The same value with quotes, or without them, where that is all that is wrong."""
    text = document.text(path)
    if wanted == "text" and text and value is not None and path[-2:] != ("istio", "version"):
        return Rewrite(text, text)
    if wanted == "true or false" and isinstance(value, str) and value.lower() in _SWITCHES:
        return Rewrite(value, _SWITCHES[value.lower()])
    if wanted == "a whole number" and isinstance(value, str) and _NUMBER.fullmatch(value):
        return Rewrite(value, int(value))
    return None


_SWITCHES = dict.fromkeys(("true", "yes", "y", "on"), True) | dict.fromkeys(("false", "no", "n", "off"), False)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


_TAGS = ("text", "mapping", "list")
"""Tags of unions; no key of the model is named so."""


def _where(data: Any, loc: tuple[int | str, ...]) -> tuple[Path, Any]:
    """The path inside the document, without the tags that unions and key checks add, and the value there."""
    path: list[str | int] = []
    for position, step in enumerate(loc):
        if _is_in(data, step):
            data = data[step]
        elif step in _TAGS:
            continue
        elif position == len(loc) - 1 and isinstance(data, dict) and isinstance(step, str) and step != "[key]":
            return (*path, step), None
        else:
            continue
        path.append(step)
    return tuple(path), path[-1] if loc and loc[-1] == "[key]" else data


def _is_in(data: Any, step: int | str) -> bool:
    if isinstance(data, tuple):
        return isinstance(step, int) and step < len(data)
    return isinstance(data, dict) and step in data


def _example(path: Path) -> str:
    """The possible values of a missing key, if there are only a few."""
    fields = (
        field for model in models_at(path[:-1]) for field in model.model_fields.values() if field.alias == path[-1]
    )
    words = [word for field in fields if get_origin(field.annotation) is Literal for word in get_args(field.annotation)]
    if words:
        return f" {words[0]}" if len(words) == 1 else f" with one of {', '.join(words)}"
    return " 1.29.6, or the version that you run" if path[-2:] == ("istio", "version") else ""


def _wrong_type(
    document: Document, path: Path, value: Any, wanted: str, whole: type[BaseModel] = Mesh
) -> tuple[str, str]:
    text = document.text(path)
    if value is None:
        return f"must be {wanted}, but nothing is written", "write a value, or take the key out"
    if wanted == "text" and text is not None:
        hint = f'write "{text}" (with quotes)'
        if path[-2:] == ("istio", "version"):
            hint = "write a full version such as 1.29.6"
        return f"must be text, but {text} is {_kind_of(value)} in YAML", hint
    if wanted == "a whole number" and isinstance(value, float):
        return f"must be a whole number, not {text or value}", ""
    hint = "write it as a list: [...]" if wanted == "a list" else ""
    if wanted == "a mapping" and (known := known_keys(path, whole)):
        hint = f"keys here: {', '.join(known)}"
    if wanted == "true or false" and isinstance(value, str):
        hint = "write true or false, without quotes"
    if wanted == "a whole number" and isinstance(value, str) and _NUMBER.fullmatch(value):
        hint = f"write {value}, without quotes"
    return f"must be {wanted}, not {_kind_of(value)}", hint


def _not_one_of(document: Document, path: Path, value: Any, detail: ErrorDetails) -> Problem:
    name, place = document.name(path), document.place(path)
    known: list[str] = _choices(detail)
    fix: Fix | None = None
    if not isinstance(value, str):
        what = f"{name}: must be one of {', '.join(known)}, not {_kind_of(value)}"
        return codes.WRONG_TYPE.at(place, what, path=name)
    if known == ["all"]:
        what, hint = (
            f"{_shown(value)} isn't all, a list of names, or a mapping",
            f"write [{value if LABEL.fullmatch(value) else 'name'}] for one cluster",
        )
    elif len(known) == 1:
        what, hint = f'{_shown(value)} isn\'t "{known[0]}"', f"write {known[0]}"
        fix = slip(value, known)
    else:
        what, hint = f"{_shown(value)} isn't one of {', '.join(known)}", nearest_of(value, known)
        fix = slip(value, known)
    return codes.BAD_VALUE.at(place, f"{name}: {what}", hint, path=name, fix=fix)


def _choices(detail: ErrorDetails) -> list[str]:
    """The words that pydantic's message about a literal lists."""
    expected = str((detail.get("ctx") or {}).get("expected", ""))
    return [word.strip("' ") for word in expected.replace(" or ", ",").split(",")]


_TOO_SHORT = ("string_too_short", "too_short")


def _rule(detail: ErrorDetails) -> str:
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


_KEYS_OF_NAMES = {"primary", "clusters", "copyTo", "except", "names", "cluster", "runsIn", "configCluster"}
"""Keys under which clusters are named."""


def _cluster_of_id(document: Document, value: Any) -> str:
    """The name of the cluster that a text is the ID of."""
    clusters = at(document.data, "spec", "clusters")
    for one in clusters if isinstance(clusters, tuple) else ():
        if at(one, "clusterID") == value and isinstance(name := at(one, "name"), str):
            return name
    return ""


def _mended(value: str, rule: str) -> str:
    """The nearest name that keeps the rule, where the rule is one of lower case letters."""
    if "lower case" not in rule or _is_pattern(value):
        return ""
    kept = "-." if "joined by dots" in rule else "-"
    text = "".join(c if c.isascii() and (c.isalnum() or c in kept) else "-" for c in value.lower())
    parts = ("-".join(part for part in label.split("-") if part) for label in text.split("."))
    better = ".".join(part for part in parts if part)[:63].strip("-.")
    return better if better != value else ""


def _is_pattern(value: str) -> bool:
    return any(sign in value for sign in "*?[")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value if len(value) <= 60 else value[:57] + "...", ensure_ascii=False) if value else ""
    return str(value) if isinstance(value, int | float) else ""


def _kind_of(value: Any) -> str:
    names = {
        dict: "a mapping",
        tuple: "a list",
        str: "text",
        bool: "a boolean",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), "nothing")

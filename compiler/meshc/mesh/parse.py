"""Parses the document of mesh.yaml into a `Mesh`, or returns problems that say what to write instead."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from meshc import codes
from meshc.errors import Fix, Path, Problem, Rewrite
from meshc.kube import at
from meshc.mesh.known_keys import models_at, unknown_key
from meshc.mesh.model import PARTS, Mesh
from meshc.mesh.wrong_values import _TOO_SHORT, NUMBER, is_pattern, kind_of, mended, not_one_of, rule, shown, wrong_type
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
        what, hint = (
            "kind: MeshPart is a part of a mesh, which can't be used alone",
            "use the mesh.yaml that includes it: -f FILE",
        )
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
        what, hint = wrong_type(document, path, value, _TYPES[kind], whole)
        hint = hint or _example_hint(path, what, whole)
        fix = _typed(document, path, value, _TYPES[kind])
        return codes.WRONG_TYPE.at(
            place, f"{name or posixpath.basename(document.file)}: {what}", hint, path=name, fix=fix
        )
    if kind == "literal_error":
        return not_one_of(document, path, value, detail)
    if kind == "wrong_form":
        what, hint = f"{name}: {detail['msg']}, not {kind_of(value)}", _example_hint(path, "", whole)
        return codes.WRONG_TYPE.at(place, what, hint, path=name)
    what = " ".join(part for part in (shown(value), rule(detail)) if part)
    better = mended(value, detail["msg"]) if isinstance(value, str) and kind == "bad_name" else ""
    fix = slip(value, [better]) if better else None
    hint = f'write "{better}"' if better else ""
    if isinstance(value, str) and kind == "bad_name" and "lower case" in detail["msg"] and is_pattern(value):
        hint = "write complete names: patterns aren't supported here"
    if hint and not is_key and (meant := _cluster_of_id(document, value)) and _KEYS_OF_NAMES.intersection(path):
        hint, fix = f'clusterID "{value}" belongs to cluster {meant}: write {meant}', Rewrite(str(value), meant)
    if path[-1:] == ("clusterID",) and isinstance(value, str):
        better = re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9._-]", "-", value)).strip("-.")[:253]
        hint = f'give istiod there the ID "{better}" (CLUSTER_ID), and write it here' if better else ""
    if not value and kind in _TOO_SHORT:
        hint = "write at least one" if isinstance(value, tuple) else "write a value"
    hint = hint or _example_hint(path, detail["msg"], whole)
    return codes.BAD_VALUE.at(place, f"{name}: {what}", hint, path=name, fix=fix)


def _example_hint(path: Path, rule: str, whole: type[BaseModel]) -> str:
    from meshc.mesh.example_hints import example_hint  # a valid mesh needs no examples

    return example_hint(path, rule, whole)


def _typed(document: Document, path: Path, value: Any, wanted: str) -> Fix | None:
    """A fix that adds or removes quotes, if only these are wrong."""
    text = document.text(path)
    if wanted == "text" and text and value is not None and path[-2:] != ("istio", "version"):
        return Rewrite(text, text)
    if wanted == "true or false" and isinstance(value, str) and value.lower() in _SWITCHES:
        return Rewrite(value, _SWITCHES[value.lower()])
    if wanted == "a whole number" and isinstance(value, str) and NUMBER.fullmatch(value):
        return Rewrite(value, int(value))
    return None


_SWITCHES = dict.fromkeys(("true", "yes", "y", "on"), True) | dict.fromkeys(("false", "no", "n", "off"), False)


_TAGS = ("text", "mapping", "list")
"""Tags of unions. No key of the model has one of these names."""


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


_KEYS_OF_NAMES = {"primary", "clusters", "copyTo", "except", "names", "cluster", "runsIn", "configCluster"}
"""Keys with names of clusters as values."""


def _cluster_of_id(document: Document, value: Any) -> str:
    """The name of the cluster that has this text as its ID."""
    clusters = at(document.data, "spec", "clusters")
    for one in clusters if isinstance(clusters, tuple) else ():
        if at(one, "clusterID") == value and isinstance(name := at(one, "name"), str):
            return name
    return ""

"""Makes the JSON Schema of a command's document from the table of shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from meshc.cli.shapes import EVERY, NAMED, SHAPES, Each, Either, Of, Ref, Shape
from meshc.errors import Place
from meshc.kube import Version
from meshc.plan import ir
from meshc.plan.as_json import key_of
from meshc.plan.files import ComponentPlan, UserFile
from meshc.plan.ways import Door


def schema_of(command: str) -> dict[str, Any]:
    """The JSON Schema of the document of a command. It lists every key, and allows further keys of a later version."""
    every = {key: _schema(shape) for key, shape in EVERY.items()}
    own = {key: _schema((shape, None)) for key, shape in SHAPES[command].items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"meshc {command} --format json",
        "type": "object",
        "required": [*every, *own],
        "properties": {**every, "version": {"const": 1}, "command": {"const": command}, **own},
        **({"$defs": {name: _schema(shape) for name, shape in NAMED.items()}} if "$ref" in str(own) else {}),
    }


_TYPES = {str: "string", int: "integer", bool: "boolean", dict: "object"}


def _schema(shape: Shape) -> dict[str, Any]:
    match shape:
        case (inner, None):
            found = _schema(inner)
            known = found.get("type")
            if known is None:
                return {"anyOf": [found, {"type": "null"}]}
            return found if isinstance(known, list) else {**found, "type": [known, "null"]}
        case [inner]:
            return {"type": "array", "items": _schema(inner)}
        case Each():
            return {"type": "object", "additionalProperties": _schema(shape.shape)}
        case Either():
            return {"anyOf": [_schema(one) for one in shape.shapes]}
        case Of():
            return _schema(shape_of(getattr(ir, shape.name)))
        case Ref():
            return {"$ref": f"#/$defs/{shape.name}"}
        case type():
            return {"type": _TYPES[shape]}
    properties = {key: _schema(inner) for key, inner in shape.items()}
    return {"type": "object", "required": list(properties), "properties": properties}


_OTHERWISE: Mapping[Any, Shape] = {
    Version: str,
    Place: str,
    Any: dict,
    UserFile: {"name": str, "source": str},
    ComponentPlan: {"folder": str, "source": str},
    Door: {"port": int, "selector": Each(str)},
}
"""The shapes of types that `as_json` doesn't write field by field."""


def shape_of(kind: Any) -> Shape:
    """The shape that `as_json` gives to a value of the plan, by the value's type."""
    inner = [one for one in get_args(kind) if one not in (NoneType, Ellipsis)]
    if kind in _OTHERWISE:
        return _OTHERWISE[kind]
    if NoneType in get_args(kind):
        return shape_of(inner[0]), None
    if get_origin(kind) is Literal:
        return str
    if get_origin(kind) is tuple:
        return [shape_of(inner[0])]
    if get_origin(kind) is Mapping:
        return dict if inner[1] is Any else Each(shape_of(inner[1]))
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return {key_of(field.name): shape_of(hints[field.name]) for field in fields(kind)}
    return kind

"""schema turns the model of mesh.yaml into its JSON Schema, described by the texts that stand under the fields."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from meshc.mesh import model


def json_schema(*, part: bool = False) -> dict[str, Any]:
    """The JSON Schema of mesh.yaml, or of a part, with descriptions."""
    whole = model.Part if part else model.Mesh
    schema = whole.model_json_schema(by_alias=True)
    texts = dict(_texts())
    for name, shape in {**schema["$defs"], whole.__name__: schema}.items():
        bases = getattr(model, name).__mro__
        for field, settings in getattr(model, name).model_fields.items():
            text = next((texts[base.__name__, field] for base in bases if (base.__name__, field) in texts), None)
            if text:
                described = {"description": text, **shape["properties"][settings.alias]}
                shape["properties"][settings.alias] = dict(sorted(described.items()))
    if not part:  # parts may hold them all
        spec = schema["$defs"]["Spec"]
        spec["required"].remove("clusters")
        spec["anyOf"] = [{"required": [key]} for key in ("clusters", "include", "clustersFrom")]
    title = "a part of mesh.yaml" if part else "mesh.yaml"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema}


def schema_text(*, part: bool = False) -> str:
    """The JSON Schema as it is committed in mesh.schema.json, or in mesh-part.schema.json."""
    return json.dumps(json_schema(part=part), indent=2, ensure_ascii=False) + "\n"


def _texts() -> Iterator[tuple[tuple[str, str], str]]:
    """Every field that has a text, by class and name.

    pydantic would read them too, but each time that the model is imported: a quarter of what the import takes.
    """
    shapes = [one for one in ast.parse(inspect.getsource(model)).body if isinstance(one, ast.ClassDef)]
    for shape in shapes:
        for field, below in pairwise(shape.body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                match below:
                    case ast.Expr(ast.Constant(str(text))):
                        yield (shape.name, field.target.id), inspect.cleandoc(text)

"""Writes the JSON Schema of mesh.yaml from its model, with the texts under the fields as descriptions.

It is made for editors: titles are the keys, nothing offers `null`, and rules have error messages.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from meshc.codes import every_code
from meshc.mesh import model
from meshc.mesh.examples import EXAMPLES

_ID = "urn:meshc:v1alpha1:"


def json_schema(*, part: bool = False) -> dict[str, Any]:
    """The JSON Schema of mesh.yaml, or of a part, with descriptions."""
    whole = model.Part if part else model.Mesh
    schema: dict[str, Any] = _without_nothing(whole.model_json_schema(by_alias=True))
    texts = dict(_texts())
    for name, shape in {**schema["$defs"], whole.__name__: schema}.items():
        shape["title"] = _words(name)
        shape["description"] = " ".join(shape["description"].split())
        bases = getattr(model, name).__mro__
        for field, settings in getattr(model, name).model_fields.items():
            text = next((texts[base.__name__, field] for base in bases if (base.__name__, field) in texts), None)
            key = settings.alias
            both = [one for one in (text, shape["properties"][key].get("description")) if one]
            told = {"title": key, **({"description": " ".join(both)} if both else {})}
            if examples := next((EXAMPLES[of] for base in bases if (of := f"{base.__name__}.{key}") in EXAMPLES), None):
                told["examples"] = list(examples)
            shape["properties"][key] = dict(sorted({**shape["properties"][key], **told}.items()))
    schema["$defs"]["Acknowledge"]["properties"]["code"] |= _codes()
    if not part:  # parts may have all of them
        spec = schema["$defs"]["Spec"]
        spec["required"].remove("clusters")
        spec["anyOf"] = [{"required": [key]} for key in ("clusters", "include", "clustersFrom")]
    schema |= {"title": "a part of mesh.yaml" if part else "mesh.yaml"}
    identifier = f"{_ID}{'mesh-part' if part else 'mesh'}"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": identifier, **schema}


def schema_text(*, part: bool = False) -> str:
    """The JSON Schema as it is committed in mesh.schema.json, or in mesh-part.schema.json."""
    return json.dumps(json_schema(part=part), indent=2, ensure_ascii=False) + "\n"


def _without_nothing(value: Any, *, of_names: bool = False) -> Any:
    """The schema without pydantic's titles, without `null`, and without defaults that an editor would only repeat.

    `of_names`: the keys are those of mesh.yaml, or names of shapes.
    """
    if isinstance(value, list):
        return [_without_nothing(one) for one in value]
    if not isinstance(value, dict):
        return value
    if of_names:
        return {key: _without_nothing(one) for key, one in value.items()}
    kept = {key: one for key, one in value.items() if key != "title" and not (key == "default" and _is_nothing(one))}
    kept = {key: _without_nothing(one, of_names=key in ("properties", "$defs")) for key, one in kept.items()}
    choices = [one for one in kept.get("anyOf", ()) if one != {"type": "null"}]
    if "anyOf" in kept and len(choices) == 1:
        del kept["anyOf"]
        return {**choices[0], **kept}
    return {**kept, "anyOf": choices} if choices else kept


def _is_nothing(default: Any) -> bool:
    return default is None or isinstance(default, dict | list)


def _words(name: str) -> str:
    """`ControlPlane` as `control plane`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _codes() -> Mapping[str, Any]:
    """The problems that can be acknowledged, each with its title."""
    known = [code for code in every_code().values() if code.acknowledgeable]
    return {"enum": [code.id for code in known], "enumDescriptions": [code.title for code in known]}


def _texts() -> Iterator[tuple[tuple[str, str], str]]:
    """The description of every field, by class and name. pydantic could read them too, but at each import of the model,
    which would take a quarter of the import's time.
    """
    sections = [one for one in vars(model).values() if inspect.ismodule(one)]
    nodes = (node for section in sections for node in ast.parse(inspect.getsource(section)).body)
    shapes = [one for one in nodes if isinstance(one, ast.ClassDef)]
    for shape in shapes:
        for field, below in pairwise(shape.body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                match below:
                    case ast.Expr(ast.Constant(str(text))):
                        yield (shape.name, field.target.id), " ".join(text.split())  # editors keep line breaks

"""The JSON Schema as editors use it: it says no more than meshc does, and offers what people write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from meshc.codes import every_code
from meshc.mesh import model
from meshc.mesh.examples import EXAMPLES
from meshc.mesh.schema import json_schema
from support.cases import CASES, read

SCHEMA = json_schema()
SCHEMAS = {"mesh": SCHEMA, "part": json_schema(part=True)}
SHAPES = {**SCHEMA["$defs"], "Mesh": SCHEMA}
COMPILED = [case for case in CASES if (case / "expected/tree").is_dir() and (case / "mesh.yaml").is_file()]


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping of a schema, those of keys' names among them."""
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from nodes(one)
    elif isinstance(value, list):
        for one in value:
            yield from nodes(one)


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_nothing_offers_null(schema: dict[str, Any]) -> None:
    assert [node for node in nodes(schema) if node.get("type") == "null" or node.get("default", "") is None] == []


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_a_key_has_its_own_name_for_a_title_and_a_text(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    for shape in (*schema["$defs"].values(), schema):
        for key, value in shape.get("properties", {}).items():
            described = value.get("description") or schema["$defs"][value["$ref"].rpartition("/")[2]]["description"]
            assert value["title"] == key
            assert "\n" not in described


def test_patterns_are_those_of_both_languages_and_told_in_words() -> None:
    """ECMAScript has no \\Z, no possessive quantifier and no flags within."""
    told = [node for node in nodes(SCHEMA) if isinstance(node.get("pattern"), str)]

    assert len(told) > 80
    for node in told:
        re.compile(node["pattern"])
        outside = re.sub(r"\[[^]]*\]", "x", node["pattern"])
        assert not re.search(r"\\Z|[+*?}]\+|\(\?[aimsux]", outside)
    wordless = {node["pattern"] for node in told if "patternErrorMessage" not in node}
    assert wordless == {r"^MESH\d{3}$", "^istiod-[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_may_be_written(name: str) -> None:
    shape, key = name.split(".")
    fields = getattr(model, shape).model_fields
    field = next(field for field in fields.values() if field.alias == key)
    whole = {"$schema": SCHEMA["$schema"], "$defs": SCHEMA["$defs"]}
    under = next(
        one for one in SHAPES.values() if EXAMPLES[name][0] in one["properties"].get(key, {}).get("examples", ())
    )
    for example in EXAMPLES[name]:
        Draft202012Validator(whole | under["properties"][key]).validate(example)
        taken = TypeAdapter(field.rebuild_annotation(), config={"strict": True})
        taken.validate_python(tupled(example))


def tupled(value: Any) -> Any:
    """Lists as meshc reads them."""
    if isinstance(value, list):
        return tuple(tupled(one) for one in value)
    return {key: tupled(one) for key, one in value.items()} if isinstance(value, dict) else value


def test_codes_are_those_that_can_be_acknowledged() -> None:
    code = SCHEMA["$defs"]["Acknowledge"]["properties"]["code"]

    assert code["enum"] == [one.id for one in every_code().values() if one.acknowledgeable]
    assert len(code["enum"]) == len(code["enumDescriptions"]) > 40


@pytest.mark.parametrize("case", COMPILED, ids=lambda case: case.name)
def test_what_meshc_compiles_the_schema_takes(case: Any) -> None:
    loaded = yaml.load(read(case)["mesh.yaml"], Loader=yaml.CSafeLoader)

    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(loaded)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("istio.version", "1.29"),
        ("clusters.0.podCIDRs", ["10.0.0.0/33"]),
        ("clusters.0.podCIDRs", ["10.0.0.256/16"]),
        ("clusters.0.serviceCIDRs", ["10.0.0.0"]),
        ("clusters.0.kubernetesVersion", "latest"),
        ("clusters.0.clusterID", "a:b"),
        ("clusters.0.apiServer", "http://10.0.0.1"),
        ("clusters.0.primary", None),
        ("requires.meshc", "0.1"),
        ("acknowledge", [{"code": "MESH999", "reason": "x"}]),
    ],
)
def test_what_is_wrong_is_told_while_typing(path: str, value: Any) -> None:
    mesh: Any = {"istio": {"version": "1.29.6"}, "clusters": [{"name": "hub", "role": "primary"}], "requires": {}}
    *steps, last = path.split(".")
    inner = mesh
    for step in steps:
        inner = inner[int(step) if step.isdigit() else step]
    whole = {"apiVersion": "meshc/v1alpha1", "kind": "Mesh", "metadata": {"name": "a"}, "spec": mesh}
    validator = Draft202012Validator(SCHEMA)
    assert validator.is_valid(whole)

    inner[last] = value
    assert not validator.is_valid(whole)

"""Checks the JSON documents of commands against the JSON Schema that meshc prints for them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from meshc.cli.envelope import document
from meshc.cli.shape_schema import schema_of


@cache
def _validator(command: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(closed(schema_of(command)))


def closed(schema: Any) -> Any:
    """The schema, changed to refuse unknown keys, because no command may write a key that the printed schema doesn't
    have."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: closed(value) for key, value in schema.items()}
    names_keys = schema.get("type") in ("object", ["object", "null"]) and "properties" in schema
    return {**kept, "additionalProperties": False} if names_keys else kept


def checked_document(command: str, *values: Any) -> dict[str, Any]:
    """The result of `document`, checked against its schema."""
    made = document(command, *values)
    _validator(command).validate(json.loads(json.dumps(made)))
    return made

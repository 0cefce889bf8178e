"""Documents of commands, held to the JSON Schema that meshc prints for them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from meshc.cli.envelope import document
from meshc.cli.shapes import schema_of


@cache
def _validator(command: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema_of(command))


def checked_document(command: str, *values: Any) -> dict[str, Any]:
    """The document that `document` makes, if it fits its schema."""
    made = document(command, *values)
    _validator(command).validate(json.loads(json.dumps(made)))
    return made

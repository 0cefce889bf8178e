"""`meshc schema`: the shape of mesh.yaml, for editors and for people."""

from __future__ import annotations

import json
import sys


def schema_command(markdown: bool) -> None:
    """Prints the JSON Schema, or the reference that docs/mesh-yaml.md is."""
    if markdown:
        from meshc.mesh.reference import reference

        sys.stdout.write(reference())
        return
    sys.stdout.write(schema_text())


def schema_text() -> str:
    """The JSON Schema as it is committed in mesh.schema.json."""
    from meshc.mesh.schema import json_schema

    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"

"""`meshc schema`: the shape of mesh.yaml, for editors and for people."""

from __future__ import annotations

import json

from meshc.cli.report import tell


def schema_command(markdown: bool) -> None:
    """Prints the JSON Schema, or the reference that docs/mesh-yaml.md is."""
    if markdown:
        from meshc.mesh.reference import reference

        tell(reference().removesuffix("\n"))
        return
    tell(schema_text().removesuffix("\n"))


def schema_text() -> str:
    """The JSON Schema as it is committed in mesh.schema.json."""
    from meshc.mesh.schema import json_schema

    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"

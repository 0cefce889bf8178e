"""`meshc schema`: prints the schemas of mesh.yaml and of the JSON that commands print, for editors, programs and
people."""

from __future__ import annotations

import json

from meshc.cli.report import tell
from meshc.errors import UsageError
from meshc.plain import plain


def schema_command(markdown: bool, part: bool) -> None:
    """Prints the JSON Schema of mesh.yaml or of a part, or with `markdown` the content of docs/mesh-yaml.md."""
    if markdown:
        from meshc.mesh.reference import reference

        tell(reference().removesuffix("\n"))
        return
    from meshc.mesh.schema import schema_text

    tell(schema_text(part=part).removesuffix("\n"))


def output_command(name: str) -> None:
    """Prints the JSON Schema of the document that a command writes with --format json."""
    from meshc.cli.shape_schema import schema_of
    from meshc.cli.shapes import SHAPES

    if name not in SHAPES:
        raise UsageError(f'no command "{plain(name)}" writes JSON', f"commands that do: {', '.join(SHAPES)}")
    tell(json.dumps(schema_of(name), indent=2))

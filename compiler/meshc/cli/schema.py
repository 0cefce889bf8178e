"""`meshc schema`: prints the schema of mesh.yaml, for editors and for people."""

from __future__ import annotations

from meshc.cli.report import tell


def schema_command(markdown: bool, part: bool) -> None:
    """Prints the JSON Schema of mesh.yaml or of a part, or the reference that docs/mesh-yaml.md is."""
    if markdown:
        from meshc.mesh.reference import reference

        tell(reference().removesuffix("\n"))
        return
    from meshc.mesh.schema import schema_text

    tell(schema_text(part=part).removesuffix("\n"))

"""The commands for the text of mesh.yaml: validate, fmt, schema."""

from __future__ import annotations

from typing import Annotated

import typer

from meshc.cli.options import Clusters, File, Form, Labels, choice_of
from meshc.cli.report import Format, reporting
from meshc.commands.find_mesh import MESH
from meshc.errors import UsageError

app = typer.Typer()


@app.command(epilog="Examples: meshc validate   |   meshc validate --fix   |   meshc validate --format json")
def validate(
    file: File = MESH,
    cluster: Clusters = None,
    selector: Labels = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Fix mistakes that have only one correction, and show the changes as a diff.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="With --fix: write nothing, and exit 1 if there is something to fix.")
    ] = False,
    form: Form = Format.TEXT,
) -> None:
    """Check mesh.yaml and the files it names, without rendering."""
    with reporting(form, file, "validate"):
        from meshc.cli.validate import fix_command, validate_command

        if check and not fix:
            raise UsageError("--check goes with --fix", "meshc validate alone writes nothing")
        if fix:
            fix_command(file, choice_of(cluster, selector), form, check=check)
        else:
            validate_command(file, choice_of(cluster, selector), form)


@app.command(epilog="Examples: meshc fmt   |   meshc fmt --check")
def fmt(
    file: File = MESH,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing, and exit 1 if a file would be changed.")
    ] = False,
    form: Form = Format.TEXT,
) -> None:
    """Format mesh.yaml and its parts: indentation, spaces and empty lines. Shows the changes."""
    with reporting(form, file, "fmt"):
        from meshc.cli.fmt import fmt_command

        fmt_command(file, form, check=check)


def _documents(incomplete: str) -> list[str]:
    from meshc.cli.shapes import SHAPES

    return [name for name in SHAPES if name.startswith(incomplete)]


@app.command(epilog="Examples: meshc schema > mesh.schema.json   |   meshc schema --output 'ca status'")
def schema(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print a reference for people instead of JSON Schema.")
    ] = False,
    part: Annotated[
        bool, typer.Option("--part", help="Print the schema of a part, a file that mesh.yaml includes.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option("--output", help="Print the schema of a command's JSON document.", autocompletion=_documents),
    ] = None,
) -> None:
    """Print the JSON Schema of mesh.yaml, of its parts, or of the JSON that a command writes."""
    with reporting(Format.TEXT):
        from meshc.cli.schema import output_command, schema_command

        if output is None:
            schema_command(markdown, part)
        elif markdown or part:
            raise UsageError("--output goes with no other option", "leave out --markdown and --part")
        else:
            output_command(output)

"""The commands by name. Each imports what it uses when it runs, so that `meshc --help` costs little more than Typer."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from meshc.cli import builds, ca, capture, reads, secrets, world
from meshc.cli.report import ReaderGoneError, bug
from meshc.errors import Exit

app = typer.Typer(
    name="meshc",
    help="Compiles one mesh.yaml into per-cluster kustomize overlays for a multi-cluster Istio mesh.",
    epilog="Start with: meshc init mesh && cd mesh && meshc compile",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from meshc import __version__

        typer.echo(f"meshc {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Compiles one mesh.yaml into per-cluster kustomize overlays for a multi-cluster Istio mesh."""
    del version


for group in (builds, reads, world, ca, secrets, capture):
    app.add_typer(group.app)


def run() -> None:
    """The entry point: everything that isn't the user's fault ends in a report of a bug, exit 70."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started us: what is said goes nowhere
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except (ReaderGoneError, BrokenPipeError):
        sys.stderr.close()
        os._exit(_PIPE_CLOSED)
    except OSError as error:
        sys.stderr.write(f"error: cannot write the result: {error.strerror}\n")
        os._exit(Exit.TOOL)
    except Exception as error:
        sys.exit(bug(error))


_PIPE_CLOSED = 128 + 13  # as a shell tells SIGPIPE: the reader went away

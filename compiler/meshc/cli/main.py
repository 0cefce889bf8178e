"""Lists the commands by name, and imports the module of a command only when the command is used. This keeps the
start-up time near that of Typer alone."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command_name, get_group

from meshc.cli.naming import name_values
from meshc.cli.report import QUIET, ReaderGoneError, failed
from meshc.cli.stopping import stop_on_signals
from meshc.cli.verbose import VERBOSE, listen
from meshc.errors import Exit
from meshc.scarcity import make_room_for_files
from meshc.version import __version__

if TYPE_CHECKING:
    from typer.models import CommandInfo

COMMANDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "builds": ("init", "compile", "check", "diff", "report", "verify", "publish"),
        "texts": ("validate", "fmt", "schema"),
        "reads": ("plan", "next", "graph", "path", "tree", "explain", "values", "version"),
        "world": ("doctor", "adopt", "vendor", "inject"),
        "ca": ("ca",),
        "secrets": ("secrets",),
        "capture": ("capture",),
    }
)
"""The modules with their commands, in the order of `meshc --help`."""


HELP: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Compile and compare": ("init", "validate", "fmt", "compile", "check", "diff", "publish", "verify"),
        "Look at a mesh": ("plan", "next", "report", "graph", "path", "tree", "values"),
        "Trust and secrets": ("ca", "secrets"),
        "Live clusters": ("doctor", "capture", "adopt"),
        "More": ("vendor", "inject", "explain", "schema", "version"),
    }
)
"""The groups of commands in the help."""


class Color(StrEnum):
    """When text has colours."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


AUTO = Color.AUTO


_ANYWHERE = ("-q", "--quiet", "-v", "--verbose")


class Commands(TyperGroup):
    """Imports a module only when one of its commands is used, because Typer builds all options of all imported
    commands."""

    def __init__(self, *, commands: Any = None, **settings: Any) -> None:
        super().__init__(commands=commands, **settings)
        self.commands: dict[str, Any] = dict.fromkeys(name for names in COMMANDS.values() for name in names)
        name_values(self)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuses a second --file, because only the last one would count. Allows -q and -v after the command."""
        own = args[: args.index("--")] if "--" in args else args
        behind = [one for one in own if one in _ANYWHERE]
        args = behind + [one for one in own if one not in _ANYWHERE] + args[len(own) :]
        named = [one for one in own if one in ("-f", "--file") or one.startswith(("--file=", "-f"))]
        if len(named) > 1:
            raise typer.BadParameter("a command works on one mesh: --file is given twice", ctx=ctx)
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Lists the commands in groups, each with its whole first sentence."""
        for title, names in HELP.items():
            with formatter.section(title):
                helps = ((name, self.get_command(ctx, name).help or "") for name in names)
                formatter.write_dl([(name, text.partition("\n\n")[0].replace("\n", " ")) for name, text in helps])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command; None if there is no such command."""
        del ctx
        if cmd_name in self.commands and self.commands[cmd_name] is None:
            module = next(module for module, names in COMMANDS.items() if cmd_name in names)
            self.commands[cmd_name] = _built(import_module(f"meshc.cli.{module}").app, cmd_name)
        return self.commands.get(cmd_name)


def _built(app: typer.Typer, name: str) -> Any:
    """One command of a module. The other commands are left out, because Typer would build their options, too."""
    part = typer.Typer(rich_markup_mode=None)
    part.registered_commands = [one for one in app.registered_commands if _name_of(one) == name]
    if not part.registered_commands:
        part.add_typer(app)
    group = get_group(part)
    name_values(group)
    return group.commands[name]


def _name_of(command: CommandInfo) -> str:
    return command.name or get_command_name(command.callback.__name__ if command.callback else "")


app = typer.Typer(
    cls=Commands,
    name="meshc",
    help="Compiles one mesh.yaml into per-cluster kustomize overlays for a multi-cluster Istio mesh.",
    epilog="Start with: meshc init mesh && cd mesh && meshc compile",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"meshc {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    directory: Annotated[
        Path | None,
        typer.Option("--directory", "-C", metavar="DIR", help="Change to this folder first."),
    ] = None,
    color: Annotated[Color, typer.Option("--color", help="When to use colours; auto: only on a terminal.")] = AUTO,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show errors and results only: no warnings, notices or progress bars.")
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Show which files are read, which programs run, and what is cached."),
    ] = False,
) -> None:
    """Compiles one mesh.yaml into per-cluster kustomize overlays for a multi-cluster Istio mesh."""
    del version
    if color is not AUTO:
        wanted, other = ("FORCE_COLOR", "NO_COLOR") if color is Color.ALWAYS else ("NO_COLOR", "FORCE_COLOR")
        os.environ[wanted] = "1"
        os.environ.pop(other, None)
    for switched, name in ((quiet, QUIET), (verbose, VERBOSE)):
        os.environ[name] = "1" if switched else ""
    if verbose:
        listen()
    if directory is not None:
        try:
            os.chdir(directory)
        except OSError as error:
            raise typer.BadParameter(f'can\'t work in "{directory}": {error.strerror}', param_hint="-C") from None


def run() -> None:
    """The entry point. Reports an unexpected error either as too few resources of this machine, or as a bug."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # the parent process closed this stream: its output is dropped
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115
    # Pydantic searches all installed packages for plugins, which takes as long as making the models.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()  # a run is too short for garbage collection to pay off
    try:
        try:
            make_room_for_files()
            stop_on_signals()
            app()
        finally:
            _flush()
    except SystemExit as end:
        if isinstance(end.code, int | None) and (end.code or 0) < _BY_SIGNAL:
            sys.stderr.flush()
            os._exit(end.code or 0)  # the system frees memory at once, but Python frees it object by object
        raise  # after a signal, Python waits for threads, which remove their temporary folders
    except (ReaderGoneError, BrokenPipeError):
        sys.stderr.close()
        os._exit(_PIPE_CLOSED)
    except Exception as error:
        sys.exit(failed(error))


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stderr.write(f"error: cannot write the result: {error.strerror}\n")
        os._exit(Exit.TOOL)


_BY_SIGNAL = 128  # shells add this to the number of the signal that ended a program
_PIPE_CLOSED = _BY_SIGNAL + 13  # a shell's exit code for SIGPIPE: the reader closed the pipe

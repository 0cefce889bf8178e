"""Prints problems and exceptions, for people and for programs.

Style of messages: lower case, no full stop, values in double quotes. Data goes to standard output, everything else to
standard error. Control characters are escaped in everything that is printed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

import typer

from meshc.cli.envelope import document
from meshc.cli.excerpt import Excerpts
from meshc.errors import Exit, MeshcError, Problem, ProblemsError, Severity, ToolError
from meshc.plain import count, plain


class Format(StrEnum):
    """How problems and results are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"
    GITLAB = "gitlab"

    @property
    def is_document(self) -> bool:
        """True if standard output is always exactly one document."""
        return self not in (Format.TEXT, Format.GITHUB)


@contextmanager
def reporting(form: Format, file: Path | None = None, command: str = "") -> Iterator[None]:
    """Handles every MeshcError of a command: prints the fault, exits with its code.

    `file` is the mesh.yaml of the command, whose lines are shown with problems. `command` is its name in
    `envelope.KEYS`, if it can print JSON.
    """
    try:
        yield
    except ProblemsError as error:
        if form.is_document:
            _show_document(form, document(command, {}, error.problems, error.exit), file)
        else:
            show_problems(error.problems, form, file)
        raise typer.Exit(error.exit) from None
    except MeshcError as error:
        if form.is_document:
            _show_document(form, document(command, {}, (), error.exit, error), file)
        elif form is Format.GITHUB:
            tell(
                f"::error title=meshc::{'%0A'.join(_escaped(line, False) for line in _plain(str(error)).splitlines())}"
            )
        else:
            say(f"{paint('error', 'red')}: {_plain(str(error))}")
        raise typer.Exit(error.exit) from None


def is_quiet() -> bool:
    """True if only errors and results are shown: --quiet."""
    return bool(os.environ.get(QUIET))


QUIET = "_MESHC_QUIET"


def is_passed_over(problem: Problem) -> bool:
    """True if a problem isn't shown, because only errors are shown."""
    return is_quiet() and problem.severity is not Severity.ERROR


def warn(what: str) -> None:
    """Shows a warning; nothing for an empty text."""
    if what and not is_quiet():
        say(f"{paint('warning', 'yellow')}: {plain(what)}")


def show_problems(problems: Iterable[Problem], form: Format, file: Path | None = None) -> None:
    """Every problem for people: as text with lines of mesh.yaml and a count, or as annotations for GitHub."""
    found, excerpts = (
        [one for one in problems if not (form is Format.TEXT and is_passed_over(one))],
        Excerpts(file, columns_of(sys.stderr)),
    )
    for problem in found:
        if form is Format.GITHUB:
            tell(_annotation(problem))
        else:
            say(_text(problem, excerpts))
    if form is Format.TEXT and found:
        worst = min(found, key=lambda problem: (list(Severity).index(problem.severity), -problem.code.exit))
        say(f"{_count(found)}{_fixable(found)}; what a code means: meshc explain {worst.code.id}")


def show_result(
    form: Format,
    command: str,
    own: Mapping[str, Any],
    problems: Iterable[Problem] = (),
    end: Exit = Exit.DONE,
    file: Path | None = None,
) -> None:
    """Prints the document of a command with a result and this exit code. `file` is mesh.yaml."""
    _show_document(form, document(command, own, problems, end), file)


def _show_document(form: Format, data: Mapping[str, Any], file: Path | None) -> None:
    """Prints the document as JSON, with keys in the given order, or in the format of a code host or CI system."""
    if form is Format.JSON:
        tell(json.dumps(data, indent=2, ensure_ascii=True))
        return
    from meshc.cli.findings import WRITERS, findings

    tell(WRITERS[form](data, list(findings(data, (file or Path("mesh.yaml")).as_posix(), from_top))))


def say(text: str = "") -> None:
    """A line for people, on standard error."""
    _write(sys.stderr, text)


def tell(text: str = "") -> None:
    """A line of result, on standard output."""
    _write(sys.stdout, text)


def columns_of(stream: TextIO) -> int | None:
    """The width of the terminal; None if the stream isn't a terminal."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def tell_bytes(data: bytes) -> None:
    """Prints the output of another program unchanged on standard output."""
    sys.stdout.flush()
    with _writing():
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Coloured text, if the stream is a terminal and NO_COLOR isn't set (no-color.org), or if FORCE_COLOR is set."""
    stream = stream or sys.stderr
    forced = bool(os.environ.get("FORCE_COLOR"))
    wanted = not os.environ.get("NO_COLOR") and (forced or (stream.isatty() and os.environ.get("TERM") != "dumb"))
    return typer.style(text, fg=colour, bold=True) if wanted else text


_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}


def _text(problem: Problem, excerpts: Excerpts) -> str:
    severity = paint(problem.severity, _COLOURS[problem.severity])
    lines = [f"{plain(str(problem.place))}: {severity} {problem.code.id}: {plain(problem.what)}"]
    lines += excerpts.at(problem.place)
    for place in problem.also:
        lines += [f"  and here: {plain(str(place))}", *excerpts.at(place)]
    if problem.hint:
        lines.append(f"  hint: {plain(problem.hint)}")
    return "\n".join(lines)


def annotated(file: str) -> str:
    """The path of a file for an annotation of GitHub."""
    return _escaped(from_top(file), True)


def from_top(file: str) -> str:
    """The path of a file from the top of the repository, for code hosts. It doesn't depend on the current folder."""
    from meshc.disk.repository import Repository

    path = Path(file).absolute()
    return os.path.relpath(path, Repository.around(path.parent).root)


def _annotation(problem: Problem) -> str:
    """A GitHub Actions workflow command: an annotation at the line."""
    place, level = problem.place, str(problem.severity)
    where = f"file={annotated(place.file)}" + (f",line={place.line},col={place.column}" if place.line else "")
    text = [problem.what] + ([f"hint: {problem.hint}"] if problem.hint else [])
    said = "%0A".join(_escaped(line, False) for line in text)  # GitHub's escape for a line break
    return f"::{level} {where},title={problem.code.id}::{said}"


def _plain(text: str) -> str:
    """A text of several lines, each with control characters escaped."""
    return "\n".join(map(plain, text.split("\n")))


def _escaped(text: str, is_property: bool) -> str:
    text = plain(text).replace("%", "%25")
    return text.replace(":", "%3A").replace(",", "%2C") if is_property else text


def _count(problems: list[Problem]) -> str:
    numbers = {severity: sum(problem.severity is severity for problem in problems) for severity in Severity}
    return ", ".join(count(number, severity) for severity, number in numbers.items() if number)


def _fixable(problems: list[Problem]) -> str:
    number = sum(problem.fix is not None for problem in problems)
    return f"; meshc validate --fix corrects {number}" if number else ""


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    with _writing():
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise ReaderGoneError from None
    except OSError as error:
        raise OutputError(error) from None


class ReaderGoneError(Exception):
    """The reader closed the pipe, as in `meshc plan | head`. It isn't an OSError, because Typer would handle that."""


class OutputError(ToolError):
    """The output can't be written: a full disk, a closed terminal."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"cannot write the result: {error.strerror}")


def failed(error: Exception) -> Exit:
    """Shows an unexpected error: as too few resources of this machine if these explain the error, else as a bug."""
    from meshc.scarcity import scarce, suspected

    if isinstance(error, MeshcError):
        say(f"{paint('error', 'red')}: {error}")
        return error.exit
    if lacking := scarce(error):
        say(f"{paint('error', 'red')}: {lacking}")
        return Exit.TOOL
    if likely := suspected():
        say(f"{paint('error', 'red')}: meshc failed ({type(error).__name__}), probably for this reason: {likely}")
        return Exit.TOOL
    return _bug(error)


def _bug(error: Exception) -> Exit:
    """Shows the traceback and versions, for a bug report."""
    import platform
    import traceback

    from meshc.version import __version__

    traceback.print_exception(error)
    say(f"\nthis is a bug in meshc {__version__} (Python {platform.python_version()}, {platform.system()})")
    say("  hint: report it with the lines above; remove names that aren't public")
    return Exit.BUG

"""docs/cli.md and the man pages, both made from the commands themselves: make docs, make man"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.main import get_command

from meshc.cli.main import HELP, app
from meshc.version import __version__

INTRODUCTION = """# Commands

This page is generated from the commands, and has the texts of `meshc COMMAND --help`. `make man` makes man pages
of the same texts. [Exit codes](exit-codes.md) and [formats](formats.md) are on their own pages.
"""


@dataclass(frozen=True)
class Page:
    """The help of one command."""

    name: str
    about: str
    """The paragraphs of its description."""
    usage: str
    arguments: list[tuple[str, str]]
    options: list[tuple[str, str]]
    examples: list[str]
    nested: list[Page]


def pages() -> dict[str, list[Page]]:
    """The help of every command, by the groups of `meshc --help`."""
    top: Any = get_command(app)
    context = top.make_context("meshc", [], resilient_parsing=True)
    return {
        group: [_page(top.get_command(context, name), context, name) for name in names] for group, names in HELP.items()
    }


def general() -> Page:
    """The help of meshc itself."""
    top: Any = get_command(app)
    return _page(top, None, "meshc", nested=False)


def _page(command: Any, parent: Any, name: str, *, nested: bool = True) -> Page:
    context = type(command).context_class(command, info_name=name, parent=parent)
    arguments: list[tuple[str, str]] = []
    options: list[tuple[str, str]] = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None or parameter.name == "help":
            continue
        which = arguments if parameter.param_type_name == "argument" else options
        which.append((record[0], " ".join(record[1].split())))
    below = getattr(command, "commands", {}) if nested else {}
    return Page(
        context.command_path,
        (command.help or "").strip(),
        " ".join([context.command_path, *command.collect_usage_pieces(context)]),
        arguments,
        options,
        [_example(each) for each in re.split(r"\s+\|\s{2,}", (command.epilog or "").partition(": ")[2]) if each],
        [_page(each, context, at) for at, each in below.items()],
    )


def _example(text: str) -> str:
    """An example as a shell takes it: a remark in parentheses becomes a comment."""
    return re.sub(r"\s+\(([^()]*)\)$", r"   # \1", text.strip())


def cli_page() -> str:
    """docs/cli.md."""
    lines = [INTRODUCTION, *_options("Write these options before the command:", general().options)]
    for group, commands in pages().items():
        lines += [f"\n## {group}"]
        for command in commands:
            lines += _section(command, 3)
    return "\n".join(lines) + "\n"


def _section(page: Page, level: int) -> Iterator[str]:
    yield f"\n{'#' * level} {page.name}\n\n{page.about}\n"
    if page.nested:
        for each in page.nested:
            yield from _section(each, level + 1)
        yield from _options(f"`{page.name}` itself has these options:", page.options) if page.options else ()
        return
    yield f"```text\n{page.usage}\n```\n"
    yield from _options("", page.arguments + page.options) if page.arguments + page.options else ()
    if page.examples:
        yield "\n```sh\n" + "\n".join(page.examples) + "\n```"


def _options(before: str, options: list[tuple[str, str]]) -> Iterator[str]:
    if before:
        yield f"{before}\n"
    yield "| option | meaning |\n|---|---|"
    for names, meaning in options:
        yield f"| `{_cell(names)}` | {_cell(meaning).replace('<', '&lt;')} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def man_pages() -> dict[str, str]:
    """Every man page, by the name of its file."""
    every = [each for group in pages().values() for each in group]
    made = {}
    for page in [general(), *every, *(below for each in every for below in each.nested)]:
        name = page.name.replace(" ", "-")
        made[f"{name}.1"] = _man(page, name, [] if page.name != "meshc" else every)
    return made


def _man(page: Page, name: str, commands: list[Page]) -> str:
    first, _, rest = page.about.partition("\n\n")
    lines = [f'.TH {name.upper()} 1 "" "meshc {__version__}"', ".SH NAME", _roff(f"{name} - {_line(first)}")]
    lines += [".SH SYNOPSIS", _roff(page.usage), ".SH DESCRIPTION"]
    lines += [part for text in (rest or first).split("\n\n") for part in (".PP", _roff(_line(text)))]
    listed = [(each.name, _line(each.about.partition("\n\n")[0])) for each in page.nested or commands]
    for title, rows in (("COMMANDS", listed), ("ARGUMENTS", page.arguments), ("OPTIONS", page.options)):
        lines += [f".SH {title}"] if rows else []
        for left, right in rows:
            lines += [".TP", f".B {_roff(left)}", _roff(right)]
    lines += [".SH EXAMPLES", ".nf", *map(_roff, page.examples), ".fi"] if page.examples else []
    return "\n".join(lines) + "\n"


def _line(text: str) -> str:
    return " ".join(text.split())


def _roff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\\&" + escaped if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    OUT = Path(sys.argv[1])
    OUT.mkdir(parents=True, exist_ok=True)
    for file, text in man_pages().items():
        (OUT / file).write_text(text)
    sys.stdout.write(f"wrote {len(man_pages())} man pages to {OUT}\n")

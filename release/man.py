"""Writes a manual page for each command: python release/man.py FOLDER

The pages are made from the commands themselves, in the language of man(7). Equal commands give equal bytes.
"""

from __future__ import annotations

import gzip
import io
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from meshc import __version__
from meshc.cli.main import app

EXITS = "Exit codes: 0 done, 1 something differs, 2 wrong command line, 3 wrong input, 4 a tool failed, 5 refused."


def pages() -> dict[str, str]:
    """Every page by its file name: meshc.1, meshc-compile.1, meshc-ca-issue.1."""
    return {f"{'-'.join(words)}.1": _page(words, command) for words, command in _commands(get_command(app), ("meshc",))}


def packed() -> bytes:
    """All pages as an archive, without times or owners."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for name, text in sorted(pages().items()):
            entry = tarfile.TarInfo(f"man1/{name}")
            entry.size = len(data := text.encode())
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield words, command
    for name in getattr(command, "commands", {}):
        yield from _commands(command.get_command(None, name), (*words, name))


def _page(words: tuple[str, ...], command: Any) -> str:
    text = (command.help or "").strip()
    first, _, more = text.partition("\n\n")
    inner = list(getattr(command, "commands", {}))
    lines = [
        f'.TH "{"-".join(words).upper()}" 1 "" "meshc {__version__}" "meshc"',
        ".SH NAME",
        f"{_plain('-'.join(words))} \\- {_plain(' '.join(first.split()))}",
        ".SH SYNOPSIS",
        f".B {_plain(' '.join(words))}",
        _plain(
            " ".join(
                ["[OPTIONS]", *(_argument(one) for one in _of(command, "argument")), *(["COMMAND"] if inner else [])]
            )
        ),
        ".SH DESCRIPTION",
        _plain(text if more else first),
    ]
    for title, kind in (("ARGUMENTS", "argument"), ("OPTIONS", "option")):
        if found := _of(command, kind):
            lines += [f".SH {title}", *(line for one in found for line in _parameter(one))]
    if inner:
        listed = ", ".join(f"{'-'.join((*words, name))}(1)" for name in inner)
        lines += [".SH COMMANDS", _plain(listed)]
    if command.epilog:
        lines += [
            ".SH EXAMPLES",
            ".nf",
            *map(_plain, command.epilog.removeprefix("Examples: ").split("   |   ")),
            ".fi",
        ]
    lines += [".SH EXIT STATUS", _plain(EXITS), ".SH SEE ALSO", "meshc(1), git(1)"]
    return "\n".join(lines) + "\n"


def _of(command: Any, kind: str) -> list[Any]:
    return [one for one in command.params if one.param_type_name == kind and not getattr(one, "hidden", False)]


def _argument(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _parameter(one: Any) -> list[str]:
    if one.param_type_name == "argument":
        return [".TP", f".B {_plain(_argument(one))}", _plain(one.help or "")]
    word = "" if one.is_flag else f" {one.metavar or 'CHOICE'}"
    names = ", ".join(sorted((*one.opts, *one.secondary_opts), key=lambda name: (name.startswith("--"), name)))
    variable = one.envvar if isinstance(one.envvar, str) else ", ".join(one.envvar or ())
    told = f"{one.help or ''} Variable: {variable}." if variable else one.help or ""
    return [".TP", f".B {_plain(names + word)}", _plain(told)]


def _plain(text: str) -> str:
    """A text in which groff finds no command of its own."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in escaped.splitlines())


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text)

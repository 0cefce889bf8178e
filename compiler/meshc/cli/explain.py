"""`meshc explain`: prints the page of a problem's code. The docs have the same page."""

from __future__ import annotations

import re
import sys
from importlib.resources import files

from meshc.cli.report import tell
from meshc.codes import every_code
from meshc.errors import Code, UsageError


def explain_command(names: list[str]) -> None:
    """Prints the pages of codes, or a list of codes: all codes, those that start with the given digits, or those whose
    pages contain all given words. A word also matches longer words that start with it.

    Raises UsageError for an unknown code, and for words that no page contains.
    """
    codes = every_code()
    if not any(_CODE.fullmatch(name) for name in names):
        _list([code for code in codes.values() if _holds(code, names)], names)
        return
    wanted = [_id(name) for name in names]
    if (
        len(wanted) == 1
        and wanted[0] not in codes
        and (begun := [c for i, c in codes.items() if i.startswith(wanted[0])])
    ):
        _list(begun, names)
        return
    if unknown := [name for name, known in zip(names, wanted, strict=True) if known not in codes]:
        listed = ", ".join(f'"{name}"' for name in unknown)
        raise UsageError(f"there is no code {listed}", "every code with its title: meshc explain")
    for number, name in enumerate(wanted):
        if number:
            tell()
        _show(page(codes[name]))


_CODE = re.compile(r"(MESH)?\d{1,9}", re.IGNORECASE)


def _holds(code: Code, words: list[str]) -> bool:
    text = page(code).lower()
    return all(_begins_a_word(word.lower(), text) for word in words)


def _begins_a_word(word: str, text: str) -> bool:
    at = text.find(word)
    while at > 0 and text[at - 1].isalnum():
        at = text.find(word, at + 1)
    return at >= 0


def _list(found: list[Code], words: list[str]) -> None:
    if not found:
        raise UsageError(f"no page holds {' and '.join(words)}", "every code with its title: meshc explain")
    for code in found:
        tell(f"{code.id}  {code.title}")


def page(code: Code) -> str:
    """The page of a code, as Markdown."""
    return (files("meshc") / "pages" / f"{code.id}.md").read_text("utf-8")


def _id(name: str) -> str:
    """`mesh215` and `215` mean MESH215."""
    return name.upper() if not name.isdigit() else f"MESH{name}"


def _show(text: str) -> None:
    if not sys.stdout.isatty():
        tell(text.rstrip("\n"))
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(highlight=False).print(Markdown(text))

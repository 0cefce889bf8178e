"""`meshc explain`: the page of a problem's code, which is also its page in the docs."""

from __future__ import annotations

import sys
from importlib.resources import files

from meshc.cli.report import tell
from meshc.codes import every_code
from meshc.errors import Code, UsageError


def explain_command(names: list[str]) -> None:
    """Prints the pages of the codes, or the list of all codes where none is named. Raises UsageError for no code."""
    codes = every_code()
    if not names:
        for code in codes.values():
            tell(f"{code.id}  {code.title}")
        return
    wanted = [_id(name) for name in names]
    if unknown := [name for name, known in zip(names, wanted, strict=True) if known not in codes]:
        listed = ", ".join(f'"{name}"' for name in unknown)
        raise UsageError(f"there is no code {listed}", "every code with its title: meshc explain")
    for number, name in enumerate(wanted):
        if number:
            tell()
        _show(page(codes[name]))


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

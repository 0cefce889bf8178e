"""Shows a progress bar on a terminal, and nothing elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from meshc.cli.report import is_quiet, say

_WORTH_A_BAR = 20


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Yields a function to call after each of `total` steps. The bar is on standard error, and is removed at the
    end."""
    if total < _WORTH_A_BAR or is_quiet() or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield _nothing
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


class Terminal:
    """Shows the notes and steps of a command at the terminal."""

    def note(self, text: str) -> None:
        """Shows the note on standard error."""
        if not is_quiet():
            say(text)

    def steps(self, what: str, total: int) -> AbstractContextManager[Callable[[], None]]:
        """A bar during the steps."""
        return progress(what, total)


TERMINAL = Terminal()


def _nothing() -> None:
    pass

"""Shows a progress bar on a terminal, and nothing elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from threading import Lock

from meshc.cli.report import is_quiet, say

_WORTH_A_BAR = 20
_LONG = 1.0
"""A bar is shown immediately for this number of steps, or after this number of seconds for fewer steps."""


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Yields a function to call after each of `total` steps, from any thread. The bar is on standard error, and is
    removed at the end."""
    if total < 2 or is_quiet() or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield _nothing
        return
    with ExitStack() as until:
        yield _Bar(what, total, until).advance


class _Bar:
    """A bar that appears only in long runs, because importing rich takes longer than most runs."""

    def __init__(self, what: str, total: int, until: ExitStack) -> None:
        self._what, self._total, self._until = what, total, until
        self._lock, self._began, self._done = Lock(), time.monotonic(), 0
        self._show: Callable[[int], None] | None = None
        if total >= _WORTH_A_BAR:
            self._begin()

    def advance(self) -> None:
        """Adds one finished step."""
        with self._lock:
            self._done += 1
            if self._show is None and self._done < self._total and time.monotonic() - self._began >= _LONG:
                self._begin()
            if self._show:
                self._show(self._done)

    def _begin(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        bar = self._until.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
        task = bar.add_task(self._what, total=self._total)
        self._show = lambda done: bar.update(task, completed=done)


class Terminal:
    """Shows the notes and steps of a command at the terminal."""

    def note(self, text: str) -> None:
        """Shows the note on standard error."""
        if not is_quiet():
            say(text)

    def steps(self, what: str, total: int) -> AbstractContextManager[Callable[[], None]]:
        """Shows a bar during the steps."""
        return progress(what, total)


TERMINAL = Terminal()


def _nothing() -> None:
    pass

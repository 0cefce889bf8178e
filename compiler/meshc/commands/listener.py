"""What hears of a command's notes and steps while the command runs: a terminal, or nobody."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Listener(Protocol):
    """Hears of what happens before a command has its result. It changes nothing about the result."""

    def note(self, text: str) -> None:
        """A remark for a person, on one line or several."""

    def steps(self, what: str, total: int) -> AbstractContextManager[Callable[[], None]]:
        """A context around `total` steps. It gives the function to call after each of them."""


class Silent:
    """A listener that passes nothing on."""

    def note(self, text: str) -> None:
        """Drops the remark."""
        del text

    def steps(self, what: str, total: int) -> AbstractContextManager[Callable[[], None]]:
        """A context whose function does nothing."""
        del what, total
        return nullcontext(lambda: None)

"""Receives the notes and steps of a running command: shows them on a terminal, or ignores them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Listener(Protocol):
    """Receives notes and steps before a command has its result. Doesn't change the result."""

    def note(self, text: str) -> None:
        """A note for a person, with one line or several."""

    def steps(self, what: str, total: int) -> AbstractContextManager[Callable[[], None]]:
        """A context for `total` steps. Yields the function to call after each step."""


class Silent:
    """A listener that ignores everything."""

    def note(self, text: str) -> None:
        """Ignores the note."""
        del text

    def steps(self, what: str, total: int) -> AbstractContextManager[Callable[[], None]]:
        """A context whose function does nothing."""
        del what, total
        return nullcontext(lambda: None)

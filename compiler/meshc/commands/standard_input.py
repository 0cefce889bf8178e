"""Reads the standard input of a command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from meshc.disk.repository import LARGEST_INPUT
from meshc.errors import UsageError

if TYPE_CHECKING:
    from meshc.commands.listener import Listener


def read_standard_input(listener: Listener) -> bytes:
    """The whole standard input. At a terminal, a note says that the command waits. Raises UsageError."""
    if sys.stdin.isatty():
        listener.note("reading standard input: type or paste it, then press Ctrl-D on a line of its own")
    data = sys.stdin.buffer.read(LARGEST_INPUT + 1)
    if len(data) > LARGEST_INPUT:
        raise UsageError(f"standard input holds more than {LARGEST_INPUT >> 20} MiB")
    return data

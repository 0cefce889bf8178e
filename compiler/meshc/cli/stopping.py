"""Ends meshc cleanly on Ctrl-C, SIGTERM and SIGHUP: first ends the programs that meshc started, then meshc itself."""

from __future__ import annotations

import os
import signal
import time
from threading import Thread

from meshc.children import CHILDREN

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LONGEST = 10.0
"""The number of seconds in which meshc must undo half-written trees and remove temporary folders."""


def stop_on_signals() -> None:
    """Installs the handlers.

    An ignored signal stays ignored, as nohup needs for SIGHUP. Python runs a handler only when the main thread runs
    Python code. The main thread may wait for a program, so another thread receives each signal at once and ends the
    programs.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in _SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _raise)
    Thread(target=_end_programs, args=(reading,), daemon=True).start()


def _end_programs(reading: int) -> None:
    number = os.read(reading, 1)[0]
    CHILDREN.end()
    time.sleep(_LONGEST)
    os._exit(_code(number))


def _raise(number: int, _: object) -> None:
    """Raises an exception in the main thread, so that every `finally` and `with` block ends properly."""
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(_code(number))


def _code(number: int) -> int:
    """The exit code that shells use for a signal."""
    return 128 + number

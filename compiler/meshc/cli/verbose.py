"""With --verbose: shows on standard error which files are read, which programs run, and which results come from the
cache.

The lower rooms report these as Python's audit events, which take no time without a listener.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from meshc.plain import plain

VERBOSE = "_MESHC_VERBOSE"
_TOLD = "meshc."


def listen() -> None:
    """Shows events from now on. Call it only once in a process, because Python can't remove the listener."""
    if not any(_LISTENING):
        _LISTENING.append(True)
        sys.addaudithook(_hear)


_LISTENING: list[bool] = []


def _hear(event: str, details: tuple[Any, ...]) -> None:
    if event.startswith(_TOLD) and os.environ.get(VERBOSE):
        sys.stderr.write(f"  {event.removeprefix(_TOLD)}: {plain(' '.join(map(str, details)))}\n")

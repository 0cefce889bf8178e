"""With --verbose: shows on standard error what is read, which programs run, and what the cache holds.

The rooms below announce that as audit events of Python, which cost nothing while nobody listens.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from meshc.plain import plain

VERBOSE = "_MESHC_VERBOSE"
_TOLD = "meshc."


def listen() -> None:
    """Shows events from now on, once in a process: Python takes no listener away."""
    if not any(_LISTENING):
        _LISTENING.append(True)
        sys.addaudithook(_hear)


_LISTENING: list[bool] = []


def _hear(event: str, details: tuple[Any, ...]) -> None:
    if event.startswith(_TOLD) and os.environ.get(VERBOSE):
        sys.stderr.write(f"  {event.removeprefix(_TOLD)}: {plain(' '.join(map(str, details)))}\n")

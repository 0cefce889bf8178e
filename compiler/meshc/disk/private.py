"""Writes the only kind of file with a plain secret: a private key, at the path that the user gave, readable only by the
user."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from meshc.disk.files import telling
from meshc.disk.repository import enclosing
from meshc.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.hidden import Hidden


def write_key(path: Path, key: Hidden, *, sealed: bool, instead: str) -> None:
    """Writes a new file, mode 0600. Raises RefusedError inside a Git repository unless the content is sealed; `instead`
    is the hint.

    Raises UsageError if the file exists, and ToolError if the disk fails: then there is no file.
    """
    folder = path.parent.resolve()
    top = enclosing(folder)
    if not sealed and (top / ".git").exists():
        raise RefusedError(f'"{path}" is in the Git repository "{top}": meshc writes no plain key there', instead)
    if os.path.lexists(path):
        raise UsageError(f'"{path}" exists already; meshc never overwrites a key')
    with telling(f'cannot write "{path}"', ""):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(key.reveal())
                file.flush()
                os.fsync(fd)
        except BaseException:
            path.unlink()
            raise

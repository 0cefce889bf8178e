"""Writes the only kind of file that holds a secret: a key, at the path that its owner gave, readable by them alone."""

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
    """A new file, mode 0600. Raises RefusedError inside a Git repository unless what it holds is sealed.

    `instead` is the hint then. Raises UsageError if there is one already, ToolError if the disk fails: then none is.
    """
    folder = path.parent.resolve()
    top = enclosing(folder)
    if not sealed and (top / ".git").exists():
        raise RefusedError(f'"{path}" lies in the Git repository "{top}": meshc writes no plain key there', instead)
    if os.path.lexists(path):
        raise UsageError(f'"{path}" is there already; meshc overwrites no key')
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

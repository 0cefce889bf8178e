"""Reads a path from the command line: a file, or a pipe that another program writes to."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from meshc.disk.files import read
from meshc.disk.repository import LARGEST_INPUT
from meshc.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def read_named(path: Path, limit: int = LARGEST_INPUT) -> bytes:
    """The content of the file, or the output of `<(command)`. Raises UsageError for devices, and for a pipe without a
    writer:

    it never waits for a writer. The shell has started the writer before meshc, so a pipe with a writer is read to its
    end.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            mode = os.fstat(fd).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
                raise UsageError(f'"{path}" is ' + ("a folder" if stat.S_ISDIR(mode) else "neither a file nor a pipe"))
            os.set_blocking(fd, True)
            data = read(fd, limit + 1)
        finally:
            os.close(fd)
    except OSError as error:
        raise UsageError(f'"{path}" can\'t be read: {error.strerror}') from None
    if len(data) > limit:
        raise UsageError(f'"{path}" is larger than {limit >> 20} MiB')
    if stat.S_ISFIFO(mode) and not data:
        raise UsageError(f'"{path}" is a pipe without a writer')
    return data

"""scratch turns a tree into a private temporary folder for a while, and clears away those that killed runs left."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from meshc.disk.files import telling
from meshc.tree import FileTree

_PREFIX = "meshc-"
_OLD = 3600.0
"""Seconds. What is younger may be a folder whose owner hasn't locked it yet."""


@contextmanager
def scratch(files: FileTree) -> Iterator[Path]:
    """A private temporary folder that holds `files`, gone afterwards. Raises ToolError if there is no room for it."""
    with telling("cannot make a temporary folder", ""):
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()  # kustomize compares real paths; macOS links /var
    try:
        with telling(f'cannot write to "{folder}"', ""):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with telling(f'cannot write to "{folder}"', ""):
                for path, data in files.items():
                    (folder / path).parent.mkdir(parents=True, exist_ok=True)
                    (folder / path).write_bytes(data)
            yield folder
        finally:
            os.close(lock)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_leftovers() -> None:
    """Removes folders of runs that were killed: our own, old enough, and locked by nobody. Never fails."""
    with suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            with suppress(OSError):
                _clear(folder)


def _clear(folder: Path) -> None:
    status = folder.lstat()
    if status.st_uid != os.getuid() or time.time() - status.st_mtime < _OLD:
        return
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)

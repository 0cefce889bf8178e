"""Writes a tree to a private temporary folder, and removes such folders that killed runs left."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from meshc.disk.files import telling
from meshc.tree import FileTree

_PREFIX = "meshc-scratch-"


@contextmanager
def scratch(files: FileTree) -> Iterator[Path]:
    """A private temporary folder with `files`, removed afterwards. Raises ToolError if the disk is full."""
    with telling("cannot make a temporary folder", ""):
        folder, lock = _locked_folder()
    try:
        try:
            with telling(f'cannot write to "{folder}"', ""):
                for path, data in files.items():
                    (folder / path).parent.mkdir(parents=True, exist_ok=True)
                    (folder / path).write_bytes(data)
            yield folder
        finally:
            os.close(lock)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _locked_folder() -> tuple[Path, int]:
    """A new folder, and the descriptor that locks it.

    Before it is locked, another run may treat the folder as a leftover and remove it; then the next one is tried.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()  # kustomize compares real paths; macOS links /var
        with suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock).st_nlink and folder.exists():
                return folder, lock
            os.close(lock)


def clear_leftovers() -> None:
    """Removes folders of killed runs: folders of the current user without a lock. Never fails."""
    with suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            with suppress(OSError):
                _clear(folder)


def _clear(folder: Path) -> None:
    status = folder.lstat()
    if status.st_uid != os.getuid():
        return
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)

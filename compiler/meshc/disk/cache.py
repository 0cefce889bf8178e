"""A cache in the folder of meshc's own state. It is safe to delete, and every entry is verified before use."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from meshc.disk.files import opened, read
from meshc.disk.state import State
from meshc.errors import RefusedError

LARGEST = 256 * 1024 * 1024
"""The largest total size of all entries, in bytes. It is divided among the folders, and each folder removes its own
entries."""
_FOLDERS = 16
_PARTIAL = "new-"


def get(state: State, key: str) -> bytes | None:
    """The bytes that `put` stored under `key`; None if the entry is missing, damaged or not written by meshc.
    Counts as a use."""
    *folders, name = _cache_path(key)
    if not state.is_own():
        return None
    with suppress(OSError, RefusedError), opened(state.folder, state.folder, "/".join(folders)) as folder:
        if folder is not None:
            return _sealed(folder, name)
    return None


def _sealed(folder: int, name: str) -> bytes | None:
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    try:
        # Files that Git checks out are always writable by their owner. So a forged entry from a pull request
        # can't have this mode.
        if stat.S_IMODE(os.fstat(fd).st_mode) != 0o400:
            return None
        stored = read(fd)
        if stored[:32] != _seal(name, stored[32:]):
            return None
        os.utime(fd)
        return stored[32:]
    finally:
        os.close(fd)


def put(state: State, key: str, data: bytes) -> None:
    """Stores `data` if possible; without a cache meshc is only slower.

    If the folder becomes too large, the entries that were used longest ago are removed.
    """
    *folders, name = _cache_path(key)
    if len(data) > LARGEST // _FOLDERS // 2:
        return
    with suppress(OSError, RefusedError):
        folder = _made(state, folders)
        fd, temporary = tempfile.mkstemp(prefix=_PARTIAL, dir=folder)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(_seal(key, data) + data)
                os.fchmod(fd, 0o400)
            Path(temporary).replace(folder / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _trim(folder, LARGEST // _FOLDERS)


def _trim(folder: Path, limit: int) -> None:
    """Another run may do the same at the same time, so a missing entry is no error."""
    with os.scandir(folder) as found:
        entries = [(entry.stat(follow_symlinks=False), entry) for entry in found if not entry.is_dir()]
    size = sum(status.st_size for status, _ in entries)
    if size <= limit:
        return
    for status, entry in sorted(entries, key=lambda one: one[0].st_mtime_ns):
        Path(entry.path).unlink(missing_ok=True)
        size -= status.st_size
        if size <= limit // 4 * 3:  # so that the next one doesn't have to
            return


def _made(state: State, folders: list[str]) -> Path:
    """The folder in the cache, made if missing. Raises RefusedError, NotADirectoryError for a link."""
    state.make()
    folder = state.folder
    for name in folders:
        folder = folder / name
        with suppress(FileExistsError):
            folder.mkdir(0o700)
        if folder.is_symlink():
            raise NotADirectoryError
    return folder


def _cache_path(key: str) -> tuple[str, str, str]:
    if not re.fullmatch("[0-9a-f]{8,128}", key):
        raise ValueError(f"{key!r} is not a cache key")
    return "cache", key[:1], key


def _seal(key: str, data: bytes) -> bytes:
    return sha256(key.encode() + b"\n" + data).digest()

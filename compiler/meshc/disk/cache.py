"""cache turns a key into what was stored under it, below .meshc/cache: safe to delete, and never believed unseen."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from meshc.disk.files import opened, own_folder, read


def get(base: Path, key: str) -> bytes | None:
    """What `put` stored under `key`, None if it is gone, damaged or not from here."""
    with suppress(OSError), opened(base, base, "/".join(_cache_path(key))) as fd:
        # What Git checks out is always writable by its owner: an entry that a pull request plants, to be
        # taken for rendered output, can't have this mode.
        if fd is not None and stat.S_IMODE(os.fstat(fd).st_mode) == 0o400:
            stored = read(fd)
            if stored[:32] == _seal(key, stored[32:]):
                return stored[32:]
    return None


def put(base: Path, key: str, data: bytes) -> None:
    """Keeps `data` if it can: no cache only costs time. Raises IrregularError if .meshc is a link."""
    _, *folders, name = _cache_path(key)
    with suppress(OSError):
        folder = own_folder(base, *folders)
        fd, temporary = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(_seal(key, data) + data)
                os.fchmod(fd, 0o400)
            Path(temporary).replace(folder / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _cache_path(key: str) -> tuple[str, str, str, str]:
    if not re.fullmatch("[0-9a-f]{8,128}", key):
        raise ValueError(f"{key!r} is not a cache key")
    return ".meshc", "cache", key[:2], key


def _seal(key: str, data: bytes) -> bytes:
    return sha256(key.encode() + b"\n" + data).digest()

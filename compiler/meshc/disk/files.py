"""Opens paths folder by folder, without following links. The rest of this room is built on it."""

from __future__ import annotations

import errno
import json
import os
import posixpath
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from os.path import lexists
from pathlib import Path

from meshc.errors import RefusedError, ToolError


class OutsideError(RefusedError):
    """A path that can't be in the repository. The message quotes the path and the reason."""


class IrregularError(RefusedError):
    """The path isn't a plain file or folder: it is a symbolic link, a pipe, or too large."""


@contextmanager
def opened(top: Path, base: Path, path: str) -> Iterator[int | None]:
    """A descriptor of `base/path`, or None. Opens folder by folder, and follows no link below `top`."""
    fd: int | None = None
    with suppress(FileNotFoundError):  # a folder that doesn't exist yet
        fd = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    try:
        parts = posixpath.relpath(base / path, top).split("/")
        for number, part in enumerate(parts, 1):
            if fd is not None:
                inner = open_in(fd, part, partial(_shown, top, base, parts[:number]))
                os.close(fd)
                fd = inner
        yield fd
    finally:
        if fd is not None:
            os.close(fd)


def _shown(top: Path, base: Path, parts: Sequence[str]) -> str:
    return posixpath.relpath(top.joinpath(*parts), base)


def open_in(folder: int, name: str, shown: Callable[[], str]) -> int | None:
    """A descriptor of an entry of a folder, or None if there is no such entry. Raises IrregularError for a link and for
    a pipe.

    `shown` returns its path for messages.
    """
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)  # a pipe would wait for a writer
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
            return None
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise IrregularError(f"{quoted(shown())} is a symbolic link, which meshc never follows") from None
        if error.errno in (errno.ENXIO, errno.EOPNOTSUPP):
            raise IrregularError(f"{quoted(shown())} is neither a file nor a folder") from None
        raise
    mode = os.fstat(fd).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        os.close(fd)
        raise IrregularError(f"{quoted(shown())} is neither a file nor a folder")
    return fd


def walk(fd: int, path: str, *, hidden: bool) -> Iterator[tuple[str, int]]:
    """Every file at or below `fd`, with a descriptor that stays open until the next file is requested."""
    if not is_folder(fd):
        yield path, fd
        return
    for name in os.listdir(fd):
        inner = posixpath.normpath(f"{path}/{name}")
        if name.startswith(".") and not hidden:
            continue
        if not name.isprintable() or "\\" in name:
            raise IrregularError(f"{quoted(inner)} has a name that isn't allowed here; rename it")
        child = open_in(fd, name, partial(str, inner))
        if child is not None:
            try:
                yield from walk(child, inner, hidden=hidden)
            finally:
                os.close(child)


def files_of(base: Path, path: str) -> dict[str, bytes]:
    """The files at or below `path`, with paths relative to `base`; none if nothing is there.

    Raises IrregularError for an entry that meshc never writes: a link, a pipe, a very large file.
    """
    with opened(base, base, path) as fd:
        return {} if fd is None else {name: _whole(file, name) for name, file in walk(fd, path, hidden=True)}


_LARGEST = 64 << 20
"""The largest size, in bytes, of a file in overlays/ or output/, and of a file that a command changes."""


def _whole(fd: int, path: str) -> bytes:
    if os.fstat(fd).st_size > _LARGEST:
        raise IrregularError(f"{quoted(path)} is larger than {_LARGEST >> 20} MiB; remove it, or restore it from Git")
    return read(fd, _LARGEST)


def is_folder(fd: int) -> bool:
    return stat.S_ISDIR(os.fstat(fd).st_mode)


def read(fd: int, limit: int = -1) -> bytes:
    """Reads the rest of a descriptor, at most `limit` bytes. Uses no file object, because that would be slower."""
    parts: list[bytes] = []
    left = limit if limit >= 0 else sys.maxsize
    while left and (part := os.read(fd, min(left, max(os.fstat(fd).st_size, _LEAST) + 1))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


_LEAST = 1 << 16  # a pipe has no known size


def write_new(path: Path | str, data: bytes, *, safe: bool = True) -> None:
    """Writes a new file; on failure there is no file. Raises FileExistsError instead of replacing a file.

    With `safe`, the file survives a power failure (fsync), which is the slowest part.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    try:
        os.fchmod(fd, 0o644)  # whatever the umask, because Argo CD and Flux read as another user
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]
        if safe:
            os.fsync(fd)
    except BaseException:
        Path(path).unlink()
        raise
    finally:
        os.close(fd)


def sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folders(folder: Path) -> None:
    if not folder.is_dir():
        make_folders(folder.parent)
        folder.mkdir()
        folder.chmod(0o755)


def drop_empty(base: Path, folder: Path) -> None:
    while folder != base:
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return
        folder = folder.parent


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif lexists(path):
        path.unlink()


@contextmanager
def telling(what: str, state: str = "; nothing was changed") -> Iterator[None]:
    """Turns an OSError into a ToolError: `cannot write "x": no space left on device; nothing was changed`."""
    try:
        yield
    except OSError as error:
        raise ToolError(f"{what}: {reason(error)}{state}") from error


def reason(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return text[0].lower() + text[1:]


def quoted(path: str) -> str:
    return json.dumps(path, ensure_ascii=not path.isprintable())


def listed(paths: list[str]) -> str:
    more = f" and {len(paths) - 10} more" if len(paths) > 10 else ""
    return ", ".join(map(quoted, paths[:10])) + more + (" are" if len(paths) > 1 else " is")


def own_folder(base: Path, *parts: str) -> Path:
    """A folder below .meshc, created if missing. Raises IrregularError if it or a folder above it is a link."""
    folder = base
    for name in (".meshc", *parts):
        folder = folder / name
        with suppress(FileExistsError):
            folder.mkdir(0o700)
        if not stat.S_ISDIR(folder.lstat().st_mode):
            shown = quoted(folder.relative_to(base).as_posix())
            raise IrregularError(f"{shown} is a symbolic link or a file where meshc needs a folder; remove it")
    ignore = base / ".meshc" / ".gitignore"
    if not lexists(ignore):
        ignore.write_bytes(b"*\n")
    return folder

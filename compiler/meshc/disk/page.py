"""Writes a page to the path that a person gave, and replaces only an earlier page."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from meshc.disk.files import telling
from meshc.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def write_page(path: Path, page: bytes, mark: bytes) -> None:
    """Writes the whole file, or changes nothing. `mark` is near the beginning of every page.

    Raises UsageError if the path isn't a file, RefusedError if the file isn't a page, and ToolError if the disk fails.
    """
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(
            f'"{path}" ' + ("is a folder" if path.is_dir() else "isn't in an existing folder"), "name a file with -o"
        )
    if os.path.lexists(path) and not _is_page(path, mark):
        raise RefusedError(f'"{path}" isn\'t a page of meshc', "name another file with -o")
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    with telling(f'cannot write "{path}"', ""):
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(page)
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise


def _is_page(path: Path, mark: bytes) -> bool:
    """True if there is a regular file with the mark, not a link, a device or a pipe."""
    if path.is_symlink() or not path.is_file():
        return False
    with telling(f'cannot read "{path}"', ""), path.open("rb") as file:
        return mark in file.read(len(mark) + 100)

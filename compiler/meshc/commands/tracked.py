"""Lists the files of a folder that Git tracks or would add, and those that are staged.

Each function raises ForeignRepositoryError if Git refuses the repository of another user.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from meshc.errors import ToolError, UsageError
from meshc.git import NoGitError, ask_git
from meshc.process import CommandError

_FILES = {"100644", "100755"}
"""The Git modes of regular files; the blob of a link is a path, and a submodule is a commit."""

_AT_ONCE = 500


def tracked(folder: Path) -> list[Path] | None:
    """The files in a folder that Git tracks or would add, without ignored ones; None without Git."""
    try:
        said = _git(folder, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    except (CommandError, NoGitError):
        return None
    return sorted(folder / name for name in _names(said))


def staged(path: Path, largest: int) -> Iterator[tuple[Path, bytes | None]]:
    """The staged changes at or below a path; None for a file larger than `largest`.

    Raises UsageError without Git.
    """
    folder, only = (path, ()) if path.is_dir() else (path.parent, ("--", path.name))
    try:
        _git(folder, "rev-parse", "--show-toplevel")
    except (CommandError, NoGitError):
        raise UsageError(f'"{path}" is in no Git repository, so nothing of it is staged') from None
    flags = ("--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--relative", "--diff-filter=d", "-z")
    words = iter(_names(_git(folder, "diff", "--cached", *flags, *only)))
    found = []
    for facts in words:  # `:100644 100644 <old> <new> M`, then the path
        name, (_, mode, _, blob, _) = next(words), facts.split()
        if mode in _FILES:
            found.append((folder / name, blob))
    for start in range(0, len(found), _AT_ONCE):
        some = found[start : start + _AT_ONCE]
        yield from zip((file for file, _ in some), _blobs(folder, [blob for _, blob in some], largest), strict=True)


def below(folder: Path) -> list[str]:
    """The tracked paths below a folder, relative to the folder; none without Git."""
    try:
        return _names(_git(folder, "ls-files", "--cached", "-z"))
    except (CommandError, NoGitError):
        return []


def uncommitted(folder: Path, paths: Sequence[str]) -> list[str] | None:
    """The files at the paths that differ from the last commit, relative to the folder; None without Git."""
    flags = ("--porcelain", "--untracked-files=all", "--ignore-submodules=all", "--no-renames", "-z")
    try:
        top = os.fsdecode(_git(folder, "rev-parse", "--show-cdup")).rstrip("\n")
        said = _git(folder, "status", *flags, "--", *paths)
    except (CommandError, NoGitError):
        return None
    base = folder.resolve()
    return [os.path.relpath(base / top / entry[3:], base) for entry in _names(said)]  # `XY path`, from the top


def _blobs(folder: Path, blobs: Sequence[str], largest: int) -> Iterator[bytes | None]:
    sizes = _git(folder, "cat-file", "--batch-check=%(objectsize)", stdin="\n".join(blobs)).splitlines()
    if not all(size.isdigit() for size in sizes):
        raise ToolError("some staged files are missing in Git's objects", "git fsck")
    small = [blob for blob, size in zip(blobs, sizes, strict=True) if int(size) <= largest]
    stream = _git(folder, "cat-file", "--batch=%(objectsize)", stdin="\n".join(small))
    start = 0
    for size in map(int, sizes):
        if size > largest:
            yield None
            continue
        start = stream.index(b"\n", start) + 1
        yield stream[start : start + size]
        start += size + 1


def _git(folder: Path, *words: str, stdin: str = "") -> bytes:
    return ask_git(folder, *words, stdin=stdin.encode())


def _names(said: bytes) -> list[str]:
    return [os.fsdecode(name) for name in said.split(b"\0") if name]

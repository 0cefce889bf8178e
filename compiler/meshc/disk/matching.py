"""Finds the paths that match a pattern: `*` and `?` match characters within one name."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from meshc.disk.files import IrregularError, is_folder, open_in, opened, quoted

_SIGNS = frozenset("*?")
_WILD = 4
LONGEST = 256


def pattern_fault(text: str) -> str:
    """The rule of patterns that a text breaks; empty if it breaks none."""
    names = text.split("/")
    wild = [_is_wild(name) for name in names]
    if not text.isprintable() or "\\" in text or text.startswith("/") or len(text) > LONGEST:
        return f"must be a path from mesh.yaml with / between its names, of at most {LONGEST} characters"
    if "**" in text or (True in wild and ".." in names[wild.index(True) :]):
        return "can have * and ? inside names, but no **, and no .. after them"
    if sum(wild) > _WILD:
        return f"can have * and ? in at most {_WILD} names"
    return "" if text.endswith((".yaml", ".yml")) else "must end with .yaml or .yml"


def steady(pattern: str) -> tuple[str, tuple[str, ...]]:
    """The folder above the first name with a wildcard, and the names from there. Without wildcards, the folder is the
    whole path."""
    names = pattern.split("/")
    first = next((number for number, name in enumerate(names) if _is_wild(name)), len(names))
    return "/".join(names[:first]), tuple(names[first:])


def fits(name: str, pattern: str) -> bool:
    """True if a name matches one name of a pattern. As in a shell, wildcards don't match a dot at the beginning."""
    if name.startswith(".") and not pattern.startswith("."):
        return False
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def fitting(paths: Iterable[str], pattern: str) -> list[str]:
    """The paths that fit a pattern, sorted."""
    wanted = pattern.split("/")
    return sorted(path for path in paths if _all_fit(path.split("/"), wanted))


def _all_fit(names: list[str], wanted: list[str]) -> bool:
    return len(names) == len(wanted) and all(map(fits, names, wanted))


def files_that_fit(top: Path, base: Path, pattern: str) -> tuple[str, ...]:
    """The files that fit, as paths from `base`, sorted. Raises IrregularError for a link among them, or a pipe."""
    folder, names = steady(pattern)
    with opened(top, base, folder or ".") as fd:
        if fd is None:
            return ()
        if names:
            return tuple(sorted(_below(fd, folder, names))) if is_folder(fd) else ()
        if is_folder(fd):
            raise IrregularError(f"{quoted(pattern)} is a folder, not a file")
        return (pattern,)


def _below(fd: int, folder: str, names: tuple[str, ...]) -> Iterator[str]:
    for name in os.listdir(fd):
        if not fits(name, names[0]):
            continue
        path = posixpath.join(folder, name)
        if not name.isprintable() or "\\" in name:
            raise IrregularError(f"{quoted(path)} has a name that isn't allowed here; rename it")
        with ExitStack() as stack:
            try:
                inner = open_in(fd, name, partial(str, path))
            except PermissionError as error:
                raise PermissionError(error.errno, error.strerror, path) from None
            if inner is None:
                continue
            stack.callback(os.close, inner)
            if is_folder(inner) != (len(names) == 1):
                if len(names) == 1:
                    yield path
                else:
                    yield from _below(inner, path, names[1:])


def _is_wild(name: str) -> bool:
    return not _SIGNS.isdisjoint(name)

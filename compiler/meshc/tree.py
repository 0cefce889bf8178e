"""`FileTree`: the content of a set of folders, bytes by path. `compile` writes it; `check` and tests compare it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from types import MappingProxyType

HEADER = b"# Made by meshc from mesh.yaml. Do not edit: the next compile overwrites it.\n"
"""The first line of every generated file. meshc removes only files with this line."""


class FileTree(Mapping[str, bytes]):
    """An immutable map of relative POSIX paths to bytes, iterated in sorted order.

    Raises ValueError for a path that is absolute or empty, for one with `.`, `..`, an empty part, a backslash or a
    control character, and for a path that is both a file and a folder.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        for path in files:
            _refuse_unsafe(path)
        folders: set[str] = set()
        for path in files:
            folder = path.rpartition("/")[0]
            while folder and folder not in folders:
                if folder in files:
                    raise ValueError(f"{folder!r} is both a file and a folder")
                folders.add(folder)
                folder = folder.rpartition("/")[0]
        self._take({path: files[path] for path in sorted(files)})

    def _take(self, files: dict[str, bytes]) -> FileTree:
        """Sets the files, whose paths must be safe and sorted."""
        self._paths = list(files)
        self._files = MappingProxyType(files)
        return self

    def __getitem__(self, path: str) -> bytes:
        return self._files[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._files)

    def under(self, folder: str) -> FileTree:
        """The files below `folder`, with paths relative to it."""
        first, last = (bisect_left(self._paths, folder + end) for end in ("/", "0"))  # "0" follows "/"
        files = {path[len(folder) + 1 :]: self._files[path] for path in self._paths[first:last]}
        return FileTree.__new__(FileTree)._take(files)

    def at(self, folder: str) -> FileTree:
        """The same files, all below `folder`."""
        _refuse_unsafe(folder)
        return FileTree.__new__(FileTree)._take({f"{folder}/{path}": data for path, data in self._files.items()})

    @staticmethod
    def join(*trees: Mapping[str, bytes]) -> FileTree:
        """Joins several trees into one. Raises ValueError if two of them have the same path."""
        files: dict[str, bytes] = {}
        for tree in trees:
            for path, data in tree.items():
                if path in files:
                    raise ValueError(f"{path!r} is written twice")
                files[path] = data
        return FileTree(files)


_UNSAFE = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)|\\")
"""Matches a part that is empty, `.` or `..`, and a backslash."""


def _refuse_unsafe(path: str) -> None:
    if _UNSAFE.search(path) or not path.isprintable():
        raise ValueError(f"{path!r} is not a path inside the tree")

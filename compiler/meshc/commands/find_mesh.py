"""Finds the mesh.yaml for a command without --file, and suggests one if there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

MESH = Path("mesh.yaml")
STDIN = Path("-")
"""The name for standard input."""

_DEEPEST, _MOST = 2, 200


def nearest_mesh() -> Path:
    """mesh.yaml in this folder, else the nearest one in a parent folder. Git finds its repository in the same way.

    If there is none, returns the path mesh.yaml. The search ends at the top of a Git repository, and at a folder of
    another user, because that user could plant a file there.
    """
    here = Path.cwd()
    way = Path()
    for folder in (here, *here.parents):
        if not _is_own(folder):
            break
        if (folder / MESH).is_file():
            return way / MESH
        if (folder / ".git").exists():
            break
        way = way / ".."
    return MESH


def _is_own(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.geteuid()
    except OSError:
        return False


def below(folder: Path) -> Path | None:
    """The first mesh.yaml in a subfolder, at most two levels down."""
    return next((path for depth in range(1, _DEEPEST + 1) for path in _at_depth(folder, depth)), None)


def _at_depth(folder: Path, depth: int) -> Iterator[Path]:
    try:
        inner = sorted(one for one in islice(folder.iterdir(), _MOST) if _is_plain(one))
    except OSError:
        return
    for one in inner:
        if depth > 1:
            yield from _at_depth(one, depth - 1)
        elif (one / MESH).is_file():
            yield one / MESH


def _is_plain(path: Path) -> bool:
    return not path.name.startswith(".") and path.is_dir() and not path.is_symlink()

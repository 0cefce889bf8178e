"""Computes a digest of the running program, because its output depends on its own code and its imports."""

from __future__ import annotations

import os
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

from meshc.version import __version__

_TOP = Path(__file__).parents[1]


@cache
def code_digest() -> str:
    """A digest of meshc's version and source text, Python's version, and the names and versions of installed packages.

    A changed checkout has another digest, even with the same version.
    """
    digest = sha256(f"{__version__} {sys.version}".encode())
    for folder, _, names in sorted(os.walk(_TOP)):
        for name in sorted(name for name in names if name.endswith(".py")):
            path = Path(folder, name)
            text = path.read_bytes()
            digest.update(f"\0{path.relative_to(_TOP)}\0{len(text)}\0".encode())
            digest.update(text)
    installed = {name for folder in sys.path for name in _names(folder) if name.endswith((".dist-info", ".egg-info"))}
    digest.update("\0".join(sorted(installed)).encode())
    return digest.hexdigest()


def _names(folder: str) -> list[str]:
    try:
        return [path.name for path in Path(folder).iterdir()]
    except OSError:
        return []

"""Computes one digest of paths and bytes, which shows whether two sets of files are equal."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256


def digest_of(files: Mapping[str, bytes]) -> str:
    """One digest of paths and bytes, independent of their order."""
    known: dict[int, str] = {}  # many clusters share the bytes of a file, as objects
    lines = []
    for path, data in files.items():
        if id(data) not in known:
            known[id(data)] = sha256(data).hexdigest()
        lines.append(f"{known[id(data)]} {path}")
    return sha256("\n".join(sorted(lines)).encode()).hexdigest()

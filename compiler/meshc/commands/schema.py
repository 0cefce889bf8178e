"""Compares the JSON Schema that the first line of mesh.yaml names with the one of this meshc."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from meshc.errors import MeshcError
from meshc.mesh.schema import schema_text

if TYPE_CHECKING:
    from meshc.commands.opened import Opened

_NAMED = re.compile(r"#[ \t]{0,8}yaml-language-server:[ \t]{0,8}\$schema=([A-Za-z0-9_./-]{1,255})")
"""How editors are told which schema a file has: the words of yaml-language-server."""


def schema_is_stale(opened: Opened) -> bool:
    """Whether a schema beside mesh.yaml was written by another meshc, which a note says then."""
    path = _stale(opened)
    if path:
        opened.listener.note(f"  note: {path} isn't the schema of this meshc: meshc schema > {path}")
    return path is not None


def _stale(opened: Opened) -> str | None:
    first = opened.source.data.split(b"\n", 1)[0][:400].decode(errors="replace")
    named = _NAMED.match(first)
    if named is None or named[1].startswith("/"):
        return None
    try:
        there = opened.repository.read_file(named[1])
    except (MeshcError, OSError):
        return None
    return None if there.replace(b"\r\n", b"\n") == schema_text().encode() else named[1]

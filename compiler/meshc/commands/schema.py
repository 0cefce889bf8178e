"""Compares the JSON Schemas that mesh.yaml and its parts name in their first lines with those of this meshc."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from meshc.errors import MeshcError
from meshc.mesh.schema import schema_text

if TYPE_CHECKING:
    from meshc.commands.opened import Opened

_NAMED = re.compile(r"#[ \t]{0,8}yaml-language-server:[ \t]{0,8}\$schema=([A-Za-z0-9_./-]{1,255})")
"""The comment by which editors find the schema of a file, in the syntax of yaml-language-server."""


def schema_is_stale(opened: Opened) -> bool:
    """Adds a note if a schema that mesh.yaml or a part names was written by another version of meshc."""
    stale = {path: command for path, command in _named(opened) if _is_stale(opened, path, command)}
    for path, command in stale.items():
        opened.listener.note(f"  note: {path} isn't the schema of this meshc: {command} > {path}")
    return bool(stale)


_MESH, _PART = "meshc schema", "meshc schema --part"


def _named(opened: Opened) -> list[tuple[str, str]]:
    """The schemas that are named, as paths from mesh.yaml, each once, with the command that prints each."""
    found: dict[tuple[str, str], None] = {}
    for path, data in _texts(opened):
        first = data.split(b"\n", 1)[0][:400].decode(errors="replace")
        named = _NAMED.match(first)
        if named and not named[1].startswith("/"):
            where = posixpath.normpath(posixpath.join(posixpath.dirname(path), named[1]))
            found[where, _MESH if data is opened.source.data else _PART] = None
    return list(found)


def _texts(opened: Opened) -> list[tuple[str, bytes]]:
    source = opened.source
    return [(source.name, source.data), *((part.path, part.data) for part in source.parts)]


def _is_stale(opened: Opened, path: str, command: str) -> bool:
    try:
        there = opened.repository.read_file(path)
    except (MeshcError, OSError):
        return False
    return there.replace(b"\r\n", b"\n") != schema_text(part=command == _PART).encode()

"""complete turns a mesh.yaml, half-written ones too, into the words that a shell may complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshc.disk.named import read_named
from meshc.errors import UsageError
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from pathlib import Path


def clusters(file: Path) -> list[tuple[str, str]]:
    """The clusters' names with their roles. Nothing where the file can't be read: a shell has no use for problems."""
    try:
        documents, _ = read(read_named(file), file.as_posix())
    except UsageError:
        return []
    listed = _at(_at(documents[0].data if documents else None, "spec"), "clusters")
    entries = [(_at(entry, "name"), _at(entry, "role")) for entry in (listed if isinstance(listed, tuple) else ())]
    return [(name, str(role or "")) for name, role in entries if isinstance(name, str)]


def _at(data: Any, key: str) -> Any:
    return data.get(key) if isinstance(data, dict) else None

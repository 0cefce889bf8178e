"""Finds parts of mesh.yaml that may contain more keys than before, so that the owners of these files control more of
the mesh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshc.errors import Path, Problem
    from meshc.mesh.source import Source


def wider_grants(before: Source | None, after: Source) -> Iterator[Problem]:
    """A problem for each entry of `spec.include` that grants keys which the same files didn't have before."""
    if before is None:
        return
    yield from _inventories(before, after)
    granted = {(files, key) for files, may in _grants(before) for key in may}
    for number, (files, may) in enumerate(_grants(after)):
        new = [key for key in may if (files, key) not in granted]
        if new:
            path: Path = ("spec", "include", number, "may")
            code = codes.GRANT_WIDENED
            what = f'files that match "{files}" may now contain {", ".join(new)}'
            yield after.problem(code, path, what, code.advice)


def _grants(source: Source) -> list[tuple[str, tuple[str, ...]]]:
    """The files and the granted lists of each entry. Reads as much as possible from an invalid mesh.yaml."""
    spec = source.document.data.get("spec") if isinstance(source.document.data, dict) else None
    entries = spec.get("include") if isinstance(spec, dict) else None
    found = []
    for entry in entries if isinstance(entries, tuple) else ():
        files, may = (entry.get("files"), entry.get("may")) if isinstance(entry, dict) else (None, None)
        if isinstance(files, str) and isinstance(may, tuple):
            found.append((files, tuple(key for key in may if isinstance(key, str))))
    return found


def _inventories(before: Source, after: Source) -> Iterator[Problem]:
    """New inventories: anyone who may change such a file decides which clusters are in the mesh."""
    known = set(_files(before))
    for number, file in enumerate(_files(after)):
        if file not in known:
            path: Path = ("spec", "clustersFrom", number, "file")
            code = codes.GRANT_WIDENED
            yield after.problem(code, path, f'"{file}" may now add clusters to the mesh', code.advice)


def _files(source: Source) -> list[str]:
    spec = source.document.data.get("spec") if isinstance(source.document.data, dict) else None
    entries = spec.get("clustersFrom") if isinstance(spec, dict) else None
    found = [entry.get("file") for entry in entries or () if isinstance(entry, dict)]
    return [file if isinstance(file, str) else "" for file in found]

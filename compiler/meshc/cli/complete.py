"""Completes words in the shell from a mesh.yaml, even from an unfinished one.

It doesn't import the model of mesh.yaml, because that takes longer than everything else here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from meshc.disk.matching import pattern_fault
from meshc.disk.named import read_named
from meshc.disk.repository import Repository
from meshc.errors import MeshcError, UsageError
from meshc.mesh.inventory_formats import entries
from meshc.yamltext.read import read


def clusters(file: Path) -> list[tuple[str, str]]:
    """The clusters' names with their roles. Empty if the file can't be read, because a shell can't show problems."""
    return list(dict(_entries(file)).items())


def references(folder: Path, *below: str) -> list[str]:
    """The branches and tags of the repository around a folder; none if Git fails."""
    from meshc.git import ask_git

    try:
        told = ask_git(folder, "for-each-ref", "--format=%(refname:short)", *below)
    except (MeshcError, OSError):
        return []
    return [name for name in told.decode(errors="replace").splitlines() if name]


def contexts(kubeconfig: Path | None) -> list[str]:
    """The contexts of a kubeconfig, or of the files in KUBECONFIG. Reads no other data from these files."""
    named = os.environ.get("KUBECONFIG", "").split(os.pathsep)
    files = [kubeconfig] if kubeconfig else [Path(one) for one in named if one] or [Path.home() / ".kube/config"]
    found: dict[str, None] = {}
    for file in files:
        with suppress(OSError):
            for entry in _list(_at(_data(file.read_bytes()), "contexts")):
                if isinstance(name := _at(entry, "name"), str):
                    found[name] = None
    return list(found)


def charts(file: Path) -> list[str]:
    """The names and releases of the charts of a mesh: those that Istio always has, and those that mesh.yaml adds."""
    try:
        mesh = _data(read_named(file))
    except UsageError:
        return []
    also = _list(_at(_at(_at(_at(mesh, "spec"), "istio"), "charts"), "also"))
    added = [_at(entry, key) for entry in also for key in ("chart", "release")]
    return list(dict.fromkeys(["base", "istiod", "cni", "ztunnel", *(name for name in added if isinstance(name, str))]))


def _entries(file: Path) -> Iterator[tuple[str, str]]:
    try:
        mesh = _data(read_named(file))
    except UsageError:
        return
    spec = _at(mesh, "spec")
    folder = Repository.around(file.parent)
    for part in (mesh, *_parts(spec, folder), *_inventories(spec, folder)):
        for entry in _list(_at(_at(part, "spec"), "clusters")):
            if isinstance(name := _at(entry, "name"), str):
                yield name, str(_at(entry, "role") or "")


def _parts(spec: Any, folder: Repository) -> Iterator[Any]:
    """The data of the parts that may contain clusters."""
    for entry in _list(_at(spec, "include")):
        pattern = _at(entry, "files")
        if "clusters" in _list(_at(entry, "may")) and isinstance(pattern, str) and not pattern_fault(pattern):
            with suppress(MeshcError, OSError):
                for path in folder.match_files(pattern):
                    yield _data(folder.read_file(path))


def _inventories(spec: Any, folder: Repository) -> Iterator[Any]:
    """The clusters of inventories, in the form of mesh.yaml."""
    for entry in _list(_at(spec, "clustersFrom")):
        file, form, fields, at = (_at(entry, key) for key in ("file", "format", "fields", "at"))
        with suppress(MeshcError, OSError, KeyError, TypeError):
            documents, _ = read(folder.read_file(file), "")
            ways = {key: way for key, way in (fields or {}).items() if isinstance(way, str)}
            told = list(entries(form, documents, ways, at if isinstance(at, str) else ""))
            role = _at(entry, "role") or "remote"
            yield {"spec": {"clusters": tuple({"name": one.name, "role": role} for one in told)}}


def _data(text: bytes) -> Any:
    documents, _ = read(text, "")
    return documents[0].data if documents else None


def _at(data: Any, key: str) -> Any:
    return data.get(key) if isinstance(data, dict) else None


def _list(data: Any) -> tuple[Any, ...]:
    return data if isinstance(data, tuple) else ()

"""Splits a mesh.yaml at random into many files with the same meaning."""

from __future__ import annotations

import copy
import json
import posixpath
import random
from typing import Any

Mesh = dict[str, Any]
_LISTS = ("networks", "clusters", "namespaces", "services")
_FOLDERS = ("a", "b/x", "b/y", "c", "../shared")
"""The folders of parts, in the order of inclusion, so that the lists keep their order. The last one is outside of
mesh.yaml's folder."""


def split(mesh: Mesh, chance: random.Random, *, outside: bool = False) -> dict[str, str]:
    """The files of the mesh by path, including mesh.yaml. Their content is JSON, which is also YAML."""
    root = copy.deepcopy(mesh)
    spec = root["spec"]
    folders = _FOLDERS if outside else _FOLDERS[:-1]
    paths = [f"{folder}/{name}.yaml" for folder in folders for name in ("1", "2") if chance.random() < 0.6]
    parts: dict[str, Mesh] = {path: {} for path in paths}
    for key in _LISTS:
        cuts = sorted(chance.randint(0, len(spec.get(key, []))) for _ in range(len(paths)))
        entries = spec.get(key, [])
        for path, start, end in zip(paths, cuts, [*cuts[1:], len(entries)], strict=True):
            if entries[start:end]:
                parts[path][key] = [_from(path, key, entry) for entry in entries[start:end]]
        if paths and key in spec:
            spec[key] = entries[: cuts[0]]
            if not spec[key] and chance.random() < 0.5:
                del spec[key]
    _move_last(spec, parts, "overrides")
    _move_last(spec, parts, "acknowledge")
    folders_used = [folder for folder in folders if any(posixpath.dirname(path) == folder for path in paths)]
    spec["include"] = [
        {"files": f"{folder}/*.yaml", "may": [*_LISTS, "overrides", "acknowledge"]} for folder in folders_used
    ]
    frame = {"apiVersion": "meshc/v1alpha1", "kind": "MeshPart"}
    return {"mesh.yaml": json.dumps(root, indent=1)} | {
        path: json.dumps({**frame, "spec": part}, indent=1) for path, part in parts.items()
    }


def _from(path: str, key: str, entry: Mesh) -> Mesh:
    """An entry in the form for a part: its paths are relative to the part."""

    def moved(one: str) -> str:
        return posixpath.relpath(f"/top/prod/{one}", f"/top/prod/{posixpath.dirname(path)}")

    entry = copy.deepcopy(entry)
    if key == "services" and "manifests" in entry:
        entry["manifests"] = moved(entry["manifests"])
    for field in ("resources", "components"):
        if key == "clusters" and field in entry:
            entry[field] = [moved(one) for one in entry[field]]
    if key == "clusters" and "patches" in entry:
        entry["patches"] = [
            moved(one) if isinstance(one, str) else {**one, **({"path": moved(one["path"])} if "path" in one else {})}
            for one in entry["patches"]
        ]
    return entry


def _move_last(spec: Mesh, parts: dict[str, Mesh], key: str) -> None:
    """Moves the last entry into the part that has all clusters that the entry names, if there is one, because an entry
    in a part can't name other clusters."""
    entries = spec.get(key, [])
    named = entries[-1]["clusters"] if entries else None
    if not isinstance(named, list):
        return
    for part in parts.values():
        if {*named} <= {cluster["name"] for cluster in part.get("clusters", [])}:
            part[key] = [entries.pop()]
            return

"""Splits the text of an adopted mesh.yaml into parts: a file for each cluster, and one for each namespace.

The text is moved, entry by entry, so its comments stay. Only the paths of manifests change in a part.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from meshc.kube import at
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from meshc.capture.adopted import Adopted

CLUSTERS, TEAMS = "clusters", "teams"
_LISTS = ("clusters", "namespaces", "services")
"""The lists that go into parts, in the order in which a part holds them."""
_LIST = re.compile(r"  (clusters|namespaces|services):")
_MANIFESTS = "      manifests: "
_HEAD = """\
# yaml-language-server: $schema=../mesh-part.schema.json
apiVersion: meshc/v1alpha1
kind: MeshPart
spec:
"""


def in_parts(made: Adopted, schema: bytes) -> None:
    """Moves clusters, namespaces and services of the mesh into files of their own. `schema` is that of parts."""
    root, entries = _split(made.mesh.splitlines())
    parts: dict[str, dict[str, list[str]]] = {}
    for kind, lines in entries:
        path = _path(kind, lines, made.files)
        parts.setdefault(path, {}).setdefault(kind, []).extend(map(_moved, lines))
    made.mesh = "\n".join([*root, *_include(parts)]) + "\n"
    made.files["mesh-part.schema.json"] = schema
    for path, lists in sorted(parts.items()):
        body = [line for kind in _LISTS if kind in lists for line in (f"  {kind}:", *lists[kind])]
        made.files[path] = (_HEAD + "\n".join(body) + "\n").encode()


def _split(lines: Sequence[str]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """The lines that stay in mesh.yaml, and the entries that move, each with its list."""
    root: list[str] = []
    entries: list[tuple[str, list[str]]] = []
    kind = ""
    for line in lines:
        if match := _LIST.fullmatch(line):
            kind = match[1]
        elif kind and line.startswith("    "):
            if line.startswith("    - "):
                entries.append((kind, []))
            entries[-1][1].append(line)
        else:
            kind = ""
            root.append(line)
    return root, entries


def _path(kind: str, lines: Sequence[str], files: Mapping[str, bytes]) -> str:
    """The file of an entry: a cluster's own, and for namespaces and services that of the namespace."""
    entry = read("\n".join(lines).encode(), "")[0][0].data[0]
    name = str(entry["name"])
    if kind == "services":
        manifest = files[f"{entry['manifests']}/services.yaml"]
        name = str(at(read(manifest, "")[0][0].data, "metadata", "namespace"))
    return f"{CLUSTERS if kind == 'clusters' else TEAMS}/{name}.yaml"


def _moved(line: str) -> str:
    """A line with its paths changed for a part, which is one folder below mesh.yaml."""
    if line.startswith(_MANIFESTS):
        return _MANIFESTS + posixpath.join("..", line.removeprefix(_MANIFESTS))
    return line


def _include(parts: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterator[str]:
    yield "  include:"
    yield f"    - {{files: {CLUSTERS}/*.yaml, may: [clusters]}}"
    if any(path.startswith(f"{TEAMS}/") for path in parts):
        yield f"    - {{files: {TEAMS}/*.yaml, may: [namespaces, services]}}"

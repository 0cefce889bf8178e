"""Finds the objects that differ between two trees of output/, cluster by cluster.

Documents are first compared as text, regardless of their file. Equal documents are never parsed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from meshc.errors import MeshcError
from meshc.kube import SECRETS, Body, Identity, identity_of
from meshc.mesh.user_files import Manifest, objects_in
from meshc.overlays.kustomization import NAME
from meshc.tree import HEADER, FileTree
from meshc.yamltext.read import read

Objects = Mapping[Identity, Body]
"""Objects by identity. All sealed forms of a Secret have the identity of the Secret, so that a change of backend
neither adds nor deletes it."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The objects of one cluster that differ between the two sides."""

    before: Objects
    after: Objects


def clusters_in(output: Mapping[str, bytes]) -> tuple[str, ...]:
    """The folders of output/ that are clusters, sorted: all except names that start with `_`."""
    found = {path.partition("/")[0] for path in output if "/" in path}
    return tuple(sorted(name for name in found if not name.startswith("_")))


def folders_in(output: Mapping[str, bytes]) -> set[str]:
    """The folders of output/: the clusters, and the folders for engines."""
    return {path.partition("/")[0] for path in output if "/" in path}


class Parser:
    """Parses documents. Each text is parsed only once, even if many clusters have it."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Body, ...]] = {}

    def sides(self, before: FileTree, after: FileTree) -> Sides:
        """The objects that differ between two trees of one folder. Raises MeshcError for a file that isn't YAML."""
        both = ((before, after), (after, before))
        old, new = (documents(FileTree({p: d for p, d in one.items() if other.get(p) != d})) for one, other in both)
        return Sides(self._objects(old - new), self._objects(new - old))

    def objects(self, tree: FileTree) -> Objects:
        """All objects of a tree."""
        return self._objects(documents(tree))

    def _objects(self, texts: Iterable[tuple[str, bytes]]) -> Objects:
        found: dict[Identity, Body] = {}
        for file, text in texts:
            found |= {_identity(body): body for body in self._parsed(file, text)}
        return found

    def _parsed(self, file: str, text: bytes) -> tuple[Body, ...]:
        if text not in self._known:
            found, problems = read(text, file)
            if problems:
                raise MeshcError(f"{problems[0].place}: {problems[0].what}", "run meshc compile there")
            bodies = (body for _, _, body in objects_in(map(Manifest, found)))
            self._known[text] = tuple(body for body in bodies if isinstance(body, dict))
        return self._known[text]


def _identity(body: Body) -> Identity:
    found = identity_of(body)
    return found._replace(group="", kind="Secret") if found.kind in SECRETS else found


def documents(tree: FileTree) -> Counter[tuple[str, bytes]]:
    """The text of every object, with its file."""
    return Counter((path, text) for path, data in tree.items() if _holds_objects(path) for text in texts(data))


def _holds_objects(path: str) -> bool:
    return path.endswith((".yaml", ".yml")) and path.rpartition("/")[2] != NAME


def texts(data: bytes) -> Iterator[bytes]:
    """The documents of a file, or of kustomize's output."""
    for text in data.removeprefix(HEADER).removesuffix(b"\n").split(b"\n---\n"):
        if text.strip():
            yield text + b"\n"

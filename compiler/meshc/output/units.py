"""Cuts an overlay with the user's files down to the part that kustomize has to see.

That is the objects that a patch may reach, the user's resources, and the patches. An object that no patch matches as
it is laid out is never matched later, as patches keep names, namespaces and kinds; it passes through kustomize as it
is. Where that can't be told beforehand or turns out otherwise, the whole overlay is built.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.kube import Identity, identity_of
from meshc.output.split import head_of, identity_in
from meshc.overlays.kustomization import NAME, kustomization
from meshc.overlays.layout import BASES, RESOURCES
from meshc.overlays.reaching import reaching
from meshc.tree import HEADER

if TYPE_CHECKING:
    from meshc.kube import KubeObject
    from meshc.overlays.layout import Layout
    from meshc.plan.ir import ClusterPlan
    from meshc.tree import FileTree

FOLDER = "unit"
_OBJECTS = "objects.yaml"
_NOTES = re.compile(r"config\.(?:kubernetes|k8s)\.io", re.IGNORECASE)
"""What kustomize reads instructions of: annotations that name an object otherwise, or take it out."""
_OF_NOTES = re.compile(_NOTES.pattern.encode(), re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*")
"""A part of an object's head that is written in one way only."""
_HEADS = ("", "metadata", "metadata/name", "metadata/namespace", "kind", "apiVersion")

_COMPONENT = "a component may change any object"
RENAMED = "a patch changes what an object is named by, which kustomize follows in other objects"
_IDLE = "no patch reaches an object as it is laid out"
STYLE = "a text in it isn't written as kustomize writes it"
REFUSED = "kustomize refuses the part by itself"
_NOTED = "an object or a file of yours holds a word of kustomize's own, config.kubernetes.io"

_Head = tuple[str, str, str, str]


@dataclass(frozen=True)
class Unit:
    """What kustomize builds: files by path from the folder above. `reached` are the texts that its output replaces.

    Equal units give equal output, whichever cluster they are of.
    """

    files: Mapping[str, bytes]
    reached: frozenset[bytes]
    homes: Mapping[Identity, str]
    heads: frozenset[_Head]

    @property
    def key(self) -> tuple[tuple[str, bytes], ...]:
        return tuple(self.files.items())

    def made(self, stream: bytes) -> Mapping[str, tuple[bytes, ...]] | None:
        """What kustomize built of the unit, by the file of output/; None where it holds another object than before."""
        found: dict[str, list[bytes]] = {}
        for text in stream.decode().split("\n---\n") if stream.strip() else ():
            head = head_of(text)
            named = all(_PLAIN.fullmatch(part) for part in (head[0], head[1], head[3], head[2] or "x"))
            if not named or head not in self.heads:
                return None
            home = self.homes.get(identity_in(text), RESOURCES)
            found.setdefault(home, []).append(f"{text.rstrip(chr(10))}\n".encode())
        return {file: tuple(texts) for file, texts in found.items()}


class Cutter:
    """Lives for one run. What several clusters share is matched against the same patches once."""

    def __init__(self, layout: Layout, placed: Callable[[bytes], Sequence[tuple[Any, bytes]]]) -> None:
        self._layout, self._placed = layout, placed
        self._of_base: dict[tuple[object, ...], tuple[int, ...]] = {}
        self._noted: dict[bytes, bool] = {}

    def unit(self, cluster: ClusterPlan) -> Unit | str:
        """The unit of an overlay, or why the whole has to be built."""
        if cluster.components:
            return _COMPONENT
        if any(map(_is_special, _theirs(cluster))):
            return _NOTED
        if any(map(_moves_heads, _changes(cluster))):
            return RENAMED
        layout, tree = self._layout, self._layout.tree
        own: dict[str, list[KubeObject]] = {}
        for file, one in layout.objects[cluster.name]:
            own.setdefault(file, []).append(one)
        parts = [(file, f"{cluster.name}/{file}", tuple(objects), "") for file, objects in own.items()]
        for base in cluster.bases:
            parts.append(("services.yaml", f"{BASES}/{base}/services.yaml", tuple(layout.bases[base]), base))
        texts: list[bytes] = []
        homes: dict[Identity, str] = {}
        heads = {_head(one.body) for each in cluster.resources for one in each.objects if isinstance(one.body, Mapping)}
        for file, path, objects, base in parts:
            if self._is_noted(tree[path]):
                return _NOTED
            placed = self._placed(tree[path])
            if len(placed) != len(objects):
                return STYLE
            for number in self._reached(cluster, objects, base):
                texts.append(placed[number][1])
                homes[objects[number].identity] = file
                heads.add(_head(objects[number].body))
        if not texts and not cluster.resources:
            return _IDLE
        return Unit(_files(cluster, texts, tree), frozenset(texts), homes, frozenset(heads))

    def _reached(self, cluster: ClusterPlan, objects: Sequence[KubeObject], base: str) -> Sequence[int]:
        if not base:
            return tuple(_matched(cluster, objects))
        key = (base, *((patch.file.data, *sorted(patch.target.items())) for patch in cluster.patches))
        if key not in self._of_base:
            self._of_base[key] = tuple(_matched(cluster, objects))
        return self._of_base[key]

    def _is_noted(self, data: bytes) -> bool:
        if data not in self._noted:
            self._noted[data] = _OF_NOTES.search(data) is not None
        return self._noted[data]


def _files(cluster: ClusterPlan, texts: Sequence[bytes], tree: FileTree) -> Mapping[str, bytes]:
    objects = {_OBJECTS: HEADER + b"---\n".join(texts)} if texts else {}
    patches = {f"patches/{patch.file.name}": patch for patch in cluster.patches}
    resources = [f"resources/{file.name}" for file in cluster.resources]
    files = objects | {name: tree[f"{cluster.name}/{name}"] for name in (*patches, *resources)}
    listed = [(f"patches/{patch.file.name}", patch.target) for patch in cluster.patches]
    files[NAME] = kustomization([*objects, *resources], listed)
    return {f"{FOLDER}/{name}": data for name, data in files.items()}


def _matched(cluster: ClusterPlan, objects: Sequence[KubeObject]) -> Iterator[int]:
    """The objects that a patch may be applied to, as they are laid out."""
    fits = [reaching(patch) for patch in cluster.patches]
    for number, one in enumerate(objects):
        if any(fit(one.body) for fit in fits):
            yield number


def _head(body: Any) -> _Head:
    found = identity_of(body)
    return str(body.get("apiVersion", "")), found.kind, found.namespace, found.name


def _theirs(cluster: ClusterPlan) -> Iterator[Any]:
    """Every object and patch in the user's files."""
    for file in (*cluster.resources, *(patch.file for patch in cluster.patches)):
        yield from (one.body for one in file.objects)


def _changes(cluster: ClusterPlan) -> Iterator[Any]:
    for patch in cluster.patches:
        yield from (one.body for one in patch.file.objects)


def _is_special(value: Any) -> bool:
    """Whether a key, a path or an apiVersion in a user's file is one that kustomize takes instructions from."""
    if isinstance(value, Mapping):
        told = (*value, value.get("apiVersion"), value.get("path"), value.get("from"))
        return any(isinstance(one, str) and _NOTES.search(one) for one in told) or any(map(_is_special, value.values()))
    return isinstance(value, tuple | list) and any(map(_is_special, value))


def _moves_heads(change: Any) -> bool:
    """Whether a JSON patch touches what an object is named by: kustomize then renames it in other objects too."""
    if isinstance(change, Mapping):
        return False
    if not isinstance(change, tuple):
        return True
    paths = (step[key] for step in change if step.get("op") != "test" for key in ("path", "from") if key in step)
    return any(not isinstance(path, str) or _decoded(path) in _HEADS for path in paths)


def _decoded(path: str) -> str:
    """A path as kustomize reads it, which looks at nothing before the first slash."""
    return "/".join(part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]).rstrip("/")

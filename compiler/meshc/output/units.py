"""Reduces an overlay with the user's files to the part that kustomize has to build.

This part has the objects that a patch may match, the user's resources, and the patches. kustomize doesn't change an
object that no patch matches at the start, because patches keep names, namespaces and kinds, so no patch matches it
later. The only exceptions are objects with open references (output/references.py), which the part has, too. If this
isn't certain, or if the build shows otherwise, the whole overlay is built.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from meshc.kube import Identity, identity_of
from meshc.output.references import are_followed, is_open
from meshc.output.split import documents, head_of, identity_in
from meshc.overlays.kustomization import NAME, kustomization
from meshc.overlays.layout import BASES, RESOURCES
from meshc.overlays.reaching import reaching
from meshc.tree import HEADER

if TYPE_CHECKING:
    from meshc.kube import KubeObject
    from meshc.overlays.layout import Layout
    from meshc.plan.files import PatchPlan, UserFile
    from meshc.plan.ir import ClusterPlan
    from meshc.tree import FileTree

FOLDER = "unit"
_NOTES = re.compile(r"config\.(?:kubernetes|k8s)\.io", re.IGNORECASE)
"""Annotations that are instructions for kustomize: for example, they rename an object or remove it."""
_OF_NOTES = re.compile(_NOTES.pattern.encode(), re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*")
"""A part of an object's head that has only one form in YAML."""
_HEADS = ("", "metadata", "metadata/name", "metadata/namespace", "kind", "apiVersion")

_COMPONENT = "a component may change any object"
RENAMED = "a patch changes an object's name, namespace, kind or apiVersion, so kustomize also updates references to it"
_IDLE = "no patch matches an object of the overlay"
STYLE = "the overlay has text that isn't in kustomize's style"
REFUSED = "kustomize can't build the changed objects without the rest of the overlay"
_NOTED = "an object or one of your files has an instruction for kustomize (config.kubernetes.io)"

_Head = tuple[str, str, str, str]
Key = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class Unit:
    """The part that kustomize builds: files by path from the parent folder, which have the objects of `texts`, and the
    user's resources and patches. The output replaces `texts`.

    Equal units of different clusters give equal output.
    """

    OBJECTS: ClassVar[str] = "objects.yaml"

    files: Mapping[str, bytes]
    texts: tuple[bytes, ...]
    resources: tuple[UserFile, ...]
    patches: tuple[PatchPlan, ...]
    homes: Mapping[Identity, str]
    heads: frozenset[_Head]

    @cached_property
    def key(self) -> Key:
        """Equal for units with equal output."""
        return tuple(self.files.items())

    @property
    def size(self) -> int:
        """The number of bytes in all files."""
        return sum(map(len, self.files.values()))

    def made(self, stream: bytes) -> Mapping[str, tuple[bytes, ...]] | None:
        """The objects that kustomize built from the unit, by their file in output/; None if an object is new or
        renamed."""
        found: dict[str, list[bytes]] = {}
        for text in documents(stream.decode()):
            head = head_of(text)
            named = all(_PLAIN.fullmatch(part) for part in (head[0], head[1], head[3], head[2] or "x"))
            if not named or head not in self.heads:
                return None
            home = self.homes.get(identity_in(text), RESOURCES)
            found.setdefault(home, []).append(text.encode())
        return {file: tuple(texts) for file, texts in found.items()}


class Cutter:
    """Makes the units of one run. Matches patches with the objects that several clusters share only once."""

    def __init__(self, layout: Layout, placed: Callable[[bytes], Sequence[tuple[Any, bytes]]]) -> None:
        self._layout, self._placed = layout, placed
        self._of_base: dict[tuple[object, ...], tuple[int, ...]] = {}
        self._noted: dict[bytes, bool] = {}
        self._special: dict[bytes, bool] = {}

    def units(self, cluster: ClusterPlan) -> list[Unit] | str:
        """The units of an overlay, or the reason why the whole overlay has to be built."""
        if cluster.components:
            return _COMPONENT
        if any(map(self._is_special, (*cluster.resources, *(patch.file for patch in cluster.patches)))):
            return _NOTED
        if any(_NOTES.search(text) for patch in cluster.patches for text in patch.target.values()):
            return _NOTED
        if any(map(_moves_heads, _changes(cluster))):
            return RENAMED
        own: dict[str, list[KubeObject]] = {}
        for file, one in self._layout.objects[cluster.name]:
            own.setdefault(file, []).append(one)
        mine = _Draft(cluster.resources, cluster.patches)
        found = []
        for file, objects in own.items():
            if why := self._add(mine, file, f"{cluster.name}/{file}", objects, _matched(cluster.patches, objects)):
                return why
        aimed = tuple(patch for patch in cluster.patches if patch.target)
        for base in cluster.bases:
            shared = self._layout.bases[base]
            apart = _Draft((), aimed) if self._is_apart(cluster, base) else mine
            numbers = self._reached(cluster.patches, base)
            if why := self._add(apart, "services.yaml", f"{BASES}/{base}/services.yaml", shared, numbers):
                return why
            found += [apart] if apart is not mine and apart.texts else []
        if mine.texts or mine.resources:
            found.insert(0, mine)
        elif len(aimed) < len(cluster.patches) or not found:
            return _IDLE
        return [part.unit(cluster.name, self._layout.tree) for part in found]

    def _add(self, part: _Draft, file: str, path: str, objects: Sequence[KubeObject], numbers: Iterable[int]) -> str:
        """Adds the objects with these numbers in a file to a part. Returns the reason if the overlay must be built
        whole."""
        data = self._layout.tree[path]
        if self._is_noted(data):
            return _NOTED
        placed = self._placed(data)
        if len(placed) != len(objects):
            return STYLE
        for number in numbers:
            part.texts.append(placed[number][1])
            part.homes[objects[number].identity] = file
            part.heads.add(_head(objects[number].body))
        return ""

    def _is_apart(self, cluster: ClusterPlan, base: str) -> bool:
        """True if the shared objects of a base can be a unit of their own, which clusters with equal patches share.

        Each patch that reaches them needs a target, because kustomize refuses a patch without a target whose object is
        missing. No object outside may refer to them in a way that kustomize follows.
        """
        free = tuple(patch for patch in cluster.patches if not patch.target)
        if cluster.resources or (free and self._reached(free, base)):
            return False
        own = (one.body for _, one in self._layout.objects[cluster.name])
        return not (are_followed(cluster.patches) and any(map(is_open, own)))

    def _reached(self, patches: Sequence[PatchPlan], base: str) -> Sequence[int]:
        key = (base, *((patch.file.data, *sorted(patch.target.items())) for patch in patches))
        if key not in self._of_base:
            self._of_base[key] = tuple(_matched(patches, self._layout.bases[base]))
        return self._of_base[key]

    def _is_special(self, file: UserFile) -> bool:
        if file.data not in self._special:
            self._special[file.data] = any(_is_special(one.body) for one in file.objects)
        return self._special[file.data]

    def _is_noted(self, data: bytes) -> bool:
        if data not in self._noted:
            self._noted[data] = _OF_NOTES.search(data) is not None
        return self._noted[data]


@dataclass
class _Draft:
    """A unit in the making."""

    resources: tuple[UserFile, ...]
    patches: tuple[PatchPlan, ...]
    texts: list[bytes] = field(default_factory=list)
    homes: dict[Identity, str] = field(default_factory=dict)
    heads: set[_Head] = field(default_factory=set)

    def unit(self, cluster: str, tree: FileTree) -> Unit:
        """The finished unit. `tree` has the cluster's copies of the user's files."""
        objects = {Unit.OBJECTS: HEADER + b"---\n".join(self.texts)} if self.texts else {}
        listed = [(f"patches/{patch.file.name}", patch.target) for patch in self.patches]
        resources = [f"resources/{file.name}" for file in self.resources]
        files = objects | {name: tree[f"{cluster}/{name}"] for name in dict.fromkeys((*dict(listed), *resources))}
        files[NAME] = kustomization([*objects, *resources], listed)
        bodies = (one.body for file in self.resources for one in file.objects)
        heads = self.heads | {_head(body) for body in bodies if isinstance(body, Mapping)}
        inside = {f"{FOLDER}/{name}": data for name, data in files.items()}
        return Unit(inside, tuple(self.texts), self.resources, self.patches, self.homes, frozenset(heads))


def _matched(patches: Sequence[PatchPlan], objects: Sequence[KubeObject]) -> Iterator[int]:
    """The numbers of the objects to which a patch may be applied, or that refer to a patched object."""
    fits = [reaching(patch) for patch in patches]
    if are_followed(patches):
        fits.append(is_open)
    for number, one in enumerate(objects):
        if any(fit(one.body) for fit in fits):
            yield number


def _head(body: Any) -> _Head:
    found = identity_of(body)
    return str(body.get("apiVersion", "")), found.kind, found.namespace, found.name


def _changes(cluster: ClusterPlan) -> Iterator[Any]:
    for patch in cluster.patches:
        yield from (one.body for one in patch.file.objects)


def _is_special(value: Any) -> bool:
    """True if a key, a path or an apiVersion that a user wrote is an instruction for kustomize."""
    if isinstance(value, Mapping):
        told = (*value, value.get("apiVersion"), value.get("path"), value.get("from"))
        return any(isinstance(one, str) and _NOTES.search(one) for one in told) or any(map(_is_special, value.values()))
    return isinstance(value, tuple | list) and any(map(_is_special, value))


def _moves_heads(change: Any) -> bool:
    """True if a JSON patch changes the name, namespace, kind or apiVersion of an object. kustomize then renames it in
    other objects too."""
    if isinstance(change, Mapping):
        return False
    if not isinstance(change, tuple):
        return True
    paths = (step[key] for step in change if step.get("op") != "test" for key in ("path", "from") if key in step)
    return any(not isinstance(path, str) or decoded(path) in _HEADS for path in paths)


def decoded(path: str) -> str:
    """A decoded path. Like kustomize, ignores everything before the first slash."""
    return "/".join(part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]).rstrip("/")

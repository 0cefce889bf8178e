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
from typing import TYPE_CHECKING, Any, NamedTuple

from meshc.kube import Identity, identity_of
from meshc.output.references import are_followed, is_open
from meshc.output.unit import FOLDER, Unit, files_of
from meshc.overlays.layers import Layer, of_component, of_overlay
from meshc.overlays.layout import BASES
from meshc.overlays.reaching import reaching

if TYPE_CHECKING:
    from meshc.kube import KubeObject
    from meshc.output.unit import Head
    from meshc.overlays.layout import Layout
    from meshc.plan.files import PatchPlan, UserFile
    from meshc.plan.ir import ClusterPlan

_NOTES = re.compile(r"config\.(?:kubernetes|k8s)\.io", re.IGNORECASE)
"""Annotations that are instructions for kustomize: for example, they rename an object or remove it."""
NOTES_IN_FILE = re.compile(_NOTES.pattern.encode(), re.IGNORECASE)
_HEADS = ("", "metadata", "metadata/name", "metadata/namespace", "kind", "apiVersion")

_COMPONENT = "a component has more than resources, patches, labels, annotations and images"
_TWICE = "a component has a resource with the kind and the name of another object"
RENAMED = "a patch changes an object's name, namespace, kind or apiVersion, so kustomize also updates references to it"
_IDLE = "no patch matches an object of the overlay"
STYLE = "the overlay has text that isn't in kustomize's style"
REFUSED = "kustomize can't build the changed objects without the rest of the overlay"
_NOTED = "an object or one of your files has an instruction for kustomize (config.kubernetes.io)"


class Cutter:
    """Makes the units of one run. Matches patches with the objects that several clusters share only once."""

    def __init__(self, layout: Layout, placed: Callable[[bytes], Sequence[tuple[Any, bytes]]]) -> None:
        self._layout, self._placed = layout, placed
        self._of_base: dict[tuple[object, ...], tuple[int, ...]] = {}
        self._noted: dict[bytes, bool] = {}
        self._special: dict[bytes, bool] = {}

    def units(self, cluster: ClusterPlan) -> list[Unit] | str:
        """The units of an overlay, or the reason why the whole overlay has to be built."""
        components = [of_component(one) for one in cluster.components]
        layers = [of_overlay(cluster), *(one for one in components if one is not None)]
        if len(layers) <= len(components):
            return _COMPONENT
        if why := self._why_whole(cluster, layers):
            return why
        reach = _Reach.of(layers)
        own: dict[str, list[KubeObject]] = {}
        for file, one in self._layout.objects[cluster.name]:
            own.setdefault(file, []).append(one)
        mine = _Draft(layers)
        found = []
        for file, objects in own.items():
            if why := self._add(mine, file, f"{cluster.name}/{file}", objects, reach.numbers(objects)):
                return why
        aimed = [_aimed(layer) for layer in layers]
        for base in cluster.bases:
            shared = self._layout.bases[base]
            apart = _Draft(aimed) if self._is_apart(cluster, layers, base) else mine
            numbers = self._reached(reach, base)
            if why := self._add(apart, "services.yaml", f"{BASES}/{base}/services.yaml", shared, numbers):
                return why
            found += [apart] if apart is not mine and apart.texts else []
        if mine.texts or any(layer.resources for layer in layers):
            found.insert(0, mine)
        elif any(_free(layer).patches for layer in layers):
            return _IDLE
        # kustomize refuses a patch with a fault even if no object matches
        return [part.unit() for part in found or [_Draft(aimed)]]

    def _why_whole(self, cluster: ClusterPlan, layers: Sequence[Layer]) -> str:
        """The reason in the user's files why the whole overlay has to be built; empty if there is none."""
        files = [file for layer in layers for file in (*layer.resources, *(one.file for one in layer.patches))]
        targets = (text for layer in layers for patch in layer.patches for text in patch.target.values())
        if any(map(self._is_special, files)) or any(map(_NOTES.search, targets)):
            return _NOTED
        if any(_is_special(layer.for_all) for layer in layers):
            return _NOTED
        if any(moves_heads(one.body) for layer in layers for patch in layer.patches for one in patch.file.objects):
            return RENAMED
        added = {identity_of(one.body)[1::2] for layer in layers[1:] for one in layer.objects}
        if added and any(one.identity[1::2] in added for one in self._layout.made(cluster)):
            return _TWICE  # kustomize refuses two equal objects, but it would get only one of them
        return ""

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

    def _is_apart(self, cluster: ClusterPlan, layers: Sequence[Layer], base: str) -> bool:
        """True if the shared objects of a base can be a unit of their own, which clusters with equal patches share.

        Each patch that reaches them needs a target, because kustomize refuses a patch without a target whose object is
        missing. No object outside may refer to them in a way that kustomize follows.
        """
        free = _Reach.of([_free(layer) for layer in layers])
        if self._reached(free, base):
            return False
        if not are_followed(patch for layer in layers for patch in layer.patches):
            return True
        own = (one.body for _, one in self._layout.objects[cluster.name])
        return not (any(layer.resources for layer in layers) or any(map(is_open, own)))

    def _reached(self, reach: _Reach, base: str) -> Sequence[int]:
        key = (base, reach.key)
        if key not in self._of_base:
            self._of_base[key] = tuple(reach.numbers(self._layout.bases[base]))
        return self._of_base[key]

    def _is_special(self, file: UserFile) -> bool:
        if file.data not in self._special:
            self._special[file.data] = any(_is_special(one.body) for one in file.objects)
        return self._special[file.data]

    def _is_noted(self, data: bytes) -> bool:
        if data not in self._noted:
            self._noted[data] = NOTES_IN_FILE.search(data) is not None
        return self._noted[data]


@dataclass
class _Draft:
    """A unit in the making."""

    layers: Sequence[Layer]
    texts: list[bytes] = field(default_factory=list)
    homes: dict[Identity, str] = field(default_factory=dict)
    heads: set[Head] = field(default_factory=set)

    def unit(self) -> Unit:
        top, *components = self.layers
        layers = (top, *(layer for layer in components if not layer.is_empty))
        heads = self.heads | {_head(one.body) for layer in layers for one in layer.objects}
        inside = {f"{FOLDER}/{name}": data for name, data in files_of(self.texts, layers).items()}
        return Unit(inside, tuple(self.texts), layers, self.homes, frozenset(heads))


class _Reach(NamedTuple):
    """Finds the objects that a set of patches may change, or that refer to a patched object. `everything` is true if
    every object changes."""

    patches: tuple[PatchPlan, ...]
    everything: bool

    @staticmethod
    def of(layers: Iterable[Layer]) -> _Reach:
        every = list(layers)
        return _Reach(tuple(one for layer in every for one in layer.patches), any(layer.for_all for layer in every))

    @property
    def key(self) -> object:
        """Equal for an equal reach."""
        return self.everything, *((patch.file.data, *sorted(patch.target.items())) for patch in self.patches)

    def numbers(self, objects: Sequence[KubeObject]) -> Iterator[int]:
        """The numbers of these objects."""
        fits = [reaching(patch) for patch in self.patches]
        if are_followed(self.patches):
            fits.append(is_open)
        for number, one in enumerate(objects):
            if self.everything or any(fit(one.body) for fit in fits):
                yield number


def _aimed(layer: Layer) -> Layer:
    """The patches with a target, and the fields that change every object."""
    return Layer((), tuple(patch for patch in layer.patches if patch.target), layer.for_all)


def _free(layer: Layer) -> Layer:
    """The patches without a target."""
    return Layer((), tuple(patch for patch in layer.patches if not patch.target))


def _head(body: Any) -> Head:
    found = identity_of(body)
    return str(body.get("apiVersion", "")), found.kind, found.namespace, found.name


def _is_special(value: Any) -> bool:
    """True if a key, a path or an apiVersion that a user wrote is an instruction for kustomize."""
    if isinstance(value, Mapping):
        told = (*value, value.get("apiVersion"), value.get("path"), value.get("from"))
        return any(isinstance(one, str) and _NOTES.search(one) for one in told) or any(map(_is_special, value.values()))
    return isinstance(value, tuple | list) and any(map(_is_special, value))


def moves_heads(change: Any) -> bool:
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

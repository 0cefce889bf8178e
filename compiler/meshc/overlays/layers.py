"""The layers of an overlay: what the user's files add, and what each component adds.

A component gets a layer only if all its fields change objects one by one.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from meshc.errors import Place
from meshc.kube import is_object
from meshc.mesh.kustomizations import NAMES
from meshc.mesh.user_files import Manifest, objects_in
from meshc.overlays.kustomization import COMPONENT_VERSION, VERSION
from meshc.overlays.layout import copy_of
from meshc.overlays.targets import read_target
from meshc.plan.files import PatchPlan, UserFile, UserObject
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.plan.files import ComponentPlan
    from meshc.plan.ir import ClusterPlan

_HEAD = {"apiVersion", "kind", "resources", "patches"}
_FOR_ALL = ("labels", "commonLabels", "commonAnnotations", "images")
"""Fields that change each object without regard to the others, and never its name."""
NAMESPACE = "namespace"
"""The field with the namespace of every object. Only a folder's layer has it, because it changes identities."""
_OF_LABELS = {"pairs", "includeSelectors", "includeTemplates"}
_OF_IMAGES = {"name", "newName", "newTag", "digest"}
_OF_TARGETS = {"group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"}


@dataclass(frozen=True, slots=True)
class Layer:
    """What the user adds to an overlay, or what a component adds. Files have the bytes that kustomize gets.

    `for_all` are fields of a component's kustomization that change every object, such as labels.
    """

    resources: tuple[UserFile, ...] = ()
    patches: tuple[PatchPlan, ...] = ()
    for_all: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.resources or self.patches or any(self.for_all.values()))

    @property
    def objects(self) -> Iterator[UserObject]:
        """The objects in the resources."""
        return (one for file in self.resources for one in file.objects if isinstance(one.body, Mapping))

    @property
    def resource_paths(self) -> list[str]:
        return [f"resources/{file.name}" for file in self.resources]

    @property
    def listed_patches(self) -> list[tuple[str, Mapping[str, str]]]:
        return [(f"patches/{patch.file.name}", patch.target) for patch in self.patches]

    def user_files(self) -> Iterator[tuple[str, bytes]]:
        """The user's files, by path from the layer's folder."""
        patches = (patch.file for patch in self.patches)
        paths = chain(self.resource_paths, (path for path, _ in self.listed_patches))
        for path, file in zip(paths, chain(self.resources, patches), strict=True):
            yield path, file.data


class _OtherError(Exception):
    """A component has a field or a form that a layer can't have."""


def of_overlay(cluster: ClusterPlan) -> Layer:
    """The layer of the user's files, without those of components."""
    patches = (replace(patch, file=_copy(patch.file)) for patch in cluster.patches)
    return Layer(tuple(map(_copy, cluster.resources)), tuple(patches))


def _copy(file: UserFile) -> UserFile:
    return replace(file, data=copy_of(file.data))


def of_component(one: ComponentPlan) -> Layer | None:
    """The layer of a component; None if only a build of the whole overlay shows what the component does."""
    return _of_files(one.folder, one.source, tuple(one.files.items()))


@lru_cache(maxsize=64)  # many clusters have the same components
def _of_files(folder: str, source: str, files: tuple[tuple[str, bytes], ...]) -> Layer | None:
    try:
        body = _kustomization(folder, dict(files))
        is_component = body.get("apiVersion") == COMPONENT_VERSION and {*body} <= {*_HEAD, *_FOR_ALL}
        return _layer(body, folder, source, {path: copy_of(data) for path, data in files}) if is_component else None
    except _OtherError:
        return None


def of_folder(folder: str, files: Mapping[str, bytes]) -> Layer | None:
    """The layer of a folder under `resources` or `services` that has a kustomization; None if it has anything else."""
    try:
        body = _kustomization(folder, files)
        plain = {*body} <= {*_HEAD, *_FOR_ALL, NAMESPACE} and isinstance(body.get(NAMESPACE, ""), str)
        told = body.get("apiVersion", VERSION), body.get("kind", "Kustomization")
        return _layer(body, folder, folder, files) if plain and told == (VERSION, "Kustomization") else None
    except _OtherError:
        return None


def _kustomization(folder: str, files: Mapping[str, bytes]) -> Mapping[str, Any]:
    path = next(path for name in NAMES if (path := posixpath.join(folder, name)) in files)
    body = _documents(files[path])[0].data
    if not isinstance(body, dict):
        raise _OtherError
    return body


def _layer(body: Mapping[str, Any], folder: str, source: str, files: Mapping[str, bytes]) -> Layer:
    numbers, place = count(1), Place(source)

    def file(data: bytes) -> UserFile:
        objects = tuple(UserObject(each, place) for _, _, each in objects_in(_documents(data)))
        return UserFile(f"{next(numbers)}.yaml", source, data, objects)

    def named(value: object) -> UserFile:
        named = posixpath.normpath(posixpath.join(folder, str(value)))
        if named not in files:  # a folder
            raise _OtherError
        return file(files[named])

    resources = tuple(named(value) for value in _listed(body, "resources"))
    if not all(is_object(one.body) for each in resources for one in each.objects):
        raise _OtherError
    patches = []
    for entry in _listed(body, "patches"):
        if not isinstance(entry, dict) or not {*entry} <= {"path", "patch", "target"} or {"path", "patch"} <= {*entry}:
            raise _OtherError
        patch = file(str(entry["patch"]).encode()) if "patch" in entry else named(entry.get("path"))
        if not all(_is_patch(one.body) for one in patch.objects):
            raise _OtherError
        patches.append(PatchPlan(patch, _target(entry.get("target", {})), place))
    for_all = {key: body[key] for key in (*_FOR_ALL, NAMESPACE) if key in body}
    if not all(_is_known(key, value) for key, value in for_all.items() if key != NAMESPACE):
        raise _OtherError
    layer = Layer(resources, tuple(patches), for_all)
    if layer.is_empty:  # kustomize refuses it
        raise _OtherError
    return layer


def _is_patch(body: Any) -> bool:
    """True for a strategic merge patch, or a JSON patch whose steps have an operation and a path."""
    if not isinstance(body, tuple):
        return is_object(body)
    return all(
        isinstance(step, dict) and all(isinstance(step.get(key), str) for key in ("op", "path")) for step in body
    )


def _documents(data: bytes) -> list[Manifest]:
    found, problems = read(data, "")
    if problems or not found:
        raise _OtherError
    return [Manifest(one) for one in found]


def _listed(body: Mapping[str, Any], key: str) -> tuple[Any, ...]:
    value = body.get(key, ())
    if not isinstance(value, tuple):
        raise _OtherError
    return value


def _target(value: Any) -> Mapping[str, str]:
    """A target that can be read."""
    if not _is_of_texts(value) or not {*value} <= _OF_TARGETS:
        raise _OtherError
    try:
        read_target(value)
    except ValueError:
        raise _OtherError from None
    return dict(value)


def _is_known(key: str, value: Any) -> bool:
    """True for the usual form of a field that changes every object."""
    if key in ("commonLabels", "commonAnnotations"):
        return _is_of_texts(value)
    return isinstance(value, tuple) and all(map(_is_entry_of_labels if key == "labels" else _is_image, value))


def _is_entry_of_labels(value: Any) -> bool:
    if not isinstance(value, dict) or not {*value} <= _OF_LABELS or not _is_of_texts(value.get("pairs")):
        return False
    return all(isinstance(flag, bool) for key, flag in value.items() if key != "pairs")


def _is_image(value: Any) -> bool:
    return _is_of_texts(value) and {*value} <= _OF_IMAGES


def _is_of_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())

"""Chooses the names of the user's files in an overlay."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from meshc.mesh.grounding import grounded
from meshc.mesh.user_files import objects_in
from meshc.plan.files import ComponentPlan, PatchPlan, UserFile, UserObject

if TYPE_CHECKING:
    from meshc.errors import Path, Place
    from meshc.mesh.fleet import Member
    from meshc.mesh.inputs import Inputs
    from meshc.mesh.source import Source
    from meshc.mesh.user_files import Manifest
    from meshc.mesh.user_files import UserFile as InputFile


def patches(member: Member, source: Source, inputs: Inputs) -> tuple[PatchPlan, ...]:
    """The patches that could be read, in the order of mesh.yaml."""
    entries = [(p, {}) if isinstance(p, str) else (p.key, p.target_mapping()) for p in member.cluster.patches]
    names = _file_names(path for path, _ in entries)
    return tuple(
        PatchPlan(
            _user_file(names, inputs.patches[path]), target, source.document.place(member.path("patches", number))
        )
        for number, (path, target) in enumerate(entries)
        if path in inputs.patches
    )


def resources(member: Member, inputs: Inputs) -> tuple[UserFile, ...]:
    """The files of the user's resources, each once."""
    files = {file.path: file for path in member.cluster.resources for file in inputs.resources.get(path, ())}
    names = _file_names(files)
    return tuple(_user_file(names, file) for file in files.values())


def components(member: Member, source: Source, inputs: Inputs) -> tuple[ComponentPlan, ...]:
    """The components. Their files keep their relative paths to one another."""
    listed = [(number, path) for number, path in enumerate(member.cluster.components) if path in inputs.components]
    every = {name: data for _, path in listed for name, data in inputs.components[path].items()}
    found = []
    for number, path in listed:
        folder = posixpath.normpath(path)
        names = dict(zip(every, grounded(every, folder)[0], strict=True))
        files = {names[name]: data for name, data in inputs.components[path].items()}
        place = source.document.place(member.path("components", number))
        found.append(ComponentPlan(grounded(every, folder)[1], folder, files, place))
    return tuple(found)


def _user_file(names: Mapping[str, str], file: InputFile) -> UserFile:
    objects = tuple(
        UserObject(data, manifest.place(path), _locator(manifest, path))
        for manifest, path, data in objects_in(file.manifests)
    )
    return UserFile(names[file.path], file.path, file.data, objects)


def _locator(manifest: Manifest, top: Path) -> Callable[[Path], Place]:
    return lambda path: manifest.place((*top, *path))


def _file_names(paths: Iterable[str]) -> dict[str, str]:
    """A file name for each path: the last part of the path, and .yaml for a built folder (`extra/dns/`). If two paths
    have the same last part, the whole path with - for /; if that is taken too, with a number in front."""
    unique = list(dict.fromkeys(paths))
    short = {path: f"{path.strip('/').rpartition('/')[2]}{'.yaml' if path.endswith('/') else ''}" for path in unique}
    times = Counter(short.values())
    names: dict[str, str] = {}
    taken: set[str] = set()
    for path in unique:
        name = short[path]
        if times[name] > 1:
            name = "-".join(part for part in path.split("/") if part not in ("..", ".", "")) + ".yaml" * path.endswith(
                "/"
            )
        number = 1
        while name in taken:
            number += 1
            name = f"{number}-{name}"
        names[path] = name
        taken.add(name)
    return names

"""Reads the objects of each cluster from a GitOps tree: plain files, and what kustomize builds.

Each folder below the given one is a cluster, except bases from which others are built. Reports everything that can't be
read: templates of charts, resources that kustomize would download, folders of several clusters.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from meshc.capture.installations import leads_to, told, unread
from meshc.capture.named_files import Beside
from meshc.errors import BuildError, MeshcError
from meshc.kube import as_list, at, identity_of
from meshc.mesh.kustomizations import NAMES, Closure, kustomization_in
from meshc.mesh.source import load
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.capture.installations import Told
    from meshc.disk.repository import Repository

Build = Callable[[Mapping[str, bytes], str], bytes]
"""The output of kustomize for a folder of some files. Raises BuildError."""

_MOST_FOLDERS = 200
"""The maximum number of folders for one cluster."""


@dataclass(slots=True)
class Folder:
    """One cluster's folder: its documents, each with its place, and notes on what isn't read.

    `beneath` are kustomizations that were built, and `used` the files that they read.
    """

    documents: list[tuple[str, Any]] = field(default_factory=list)
    beneath: list[tuple[str, Any]] = field(default_factory=list)
    said: list[Told] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    passed_over: int = 0


@dataclass(slots=True)
class Tree:
    """The folders of clusters by name, and notes on other folders."""

    folders: dict[str, Folder] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_tree(repository: Repository, build: Build) -> Tree:
    """Reads everything below the folder. Never raises because of its content, and never shows lines of it."""
    paths = [path for path in repository.list_files(".") if "/" in path]
    kustomizations = {posixpath.dirname(path) for path in paths if posixpath.basename(path) in NAMES}
    used_by = _used(repository, paths)
    found = Tree()
    for name in dict.fromkeys(path.partition("/")[0] for path in paths):
        mine = {one for one in kustomizations if _below(one, name)}
        if _is_base(name, mine, used_by):
            found.notes.append(f"{name} is a base of other folders, so it isn't read as a cluster")
            continue
        roots = sorted(one for one in mine if not any(_below(user, name) for user in used_by.get(one, ())))
        found.folders[name] = _folder(repository, [path for path in paths if _below(path, name)], roots, build)
    _leave_out_what_is_applied(found)
    return found


def _leave_out_what_is_applied(found: Tree) -> None:
    """Removes each folder that an engine in another folder applies: it is part of that other cluster."""
    for name in list(found.folders):
        others = [one for other, one in found.folders.items() if other != name]
        if any(_below(path, name) for one in others for path in one.followed) and not found.folders[name].followed:
            found.notes.append(f"an engine applies {name} as part of another cluster, so it isn't read as a cluster")
            del found.folders[name]


def _is_base(name: str, mine: set[str], used_by: Mapping[str, set[str]]) -> bool:
    """True if other folders use most of a folder's kustomizations, and none builds the whole folder."""
    outside = {one for one in mine if any(not _below(user, name) for user in used_by.get(one, ()))}
    alone = {one for one in mine if one not in used_by}
    return len(outside) > len(alone) and name not in alone


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _used(repository: Repository, paths: list[str]) -> dict[str, set[str]]:
    """The folders that kustomizations use, each with the folders of these kustomizations."""
    found: dict[str, set[str]] = {}
    for path in paths:
        if posixpath.basename(path) in NAMES:
            documents, problems = read(repository.read_file(path), path)
            data = documents[0].data if documents and not problems else None
            here = posixpath.dirname(path)
            for key in ("resources", "bases", "components"):
                for value in as_list(at(data, key)):
                    found.setdefault(posixpath.normpath(posixpath.join(here, str(value))), set()).add(here)
    return found


def _folder(repository: Repository, paths: list[str], roots: list[str], build: Build) -> Folder:
    made = Folder()
    covered: set[str] = set()
    for root in roots:
        built = _built(repository, root, build, made)
        if built is not None:
            covered.add(root)
            _add(made, root, built)
    for path in paths:
        inside = path in made.used or any(_below(path, root) for root in covered)
        if path.endswith((".yaml", ".yml", ".json")) and not inside:
            _add(made, path, repository.read_file(path))
        else:
            made.passed_over += not inside
        if inside and posixpath.basename(path) in NAMES:
            made.beneath += _documents(repository.read_file(path), path)
    _follow(repository, made, build)
    _tell(repository, made)
    if len({one.cluster_name for one in made.said if one.cluster_name}) < 2:
        _alternatives(made, roots)
    return made


def _tell(repository: Repository, made: Folder) -> None:
    """Adds the installations that the documents describe. Runs after all documents are read, because they refer to each
    other."""
    beside = Beside(repository, made.documents)
    for where, data in (*made.documents, *made.beneath):
        made.said += told(data, where, beside)
        left = unread(data, where, beside)
        made.left += [left] if left else []


def _follow(repository: Repository, made: Folder, build: Build) -> None:
    """Reads the folders that an engine's objects name, and the folders that the objects in those folders name."""
    index = 0
    beside = Beside(repository, ())
    while index < len(made.documents) and len(made.followed) < _MOST_FOLDERS:
        for named in leads_to(made.documents[index][1]):
            path = beside.place(named.removeprefix("./").strip("/") or ".")
            if path not in made.followed and named.strip("./"):
                made.followed.append(path)
                _add_folder(repository, path, build, made)
        index += 1


def _add_folder(repository: Repository, path: str, build: Build, made: Folder) -> None:
    try:
        if repository.kind(path) != "folder":
            made.left.append(f"{path}: an engine applies it, but it isn't in this repository")
            return
        built = _built(repository, path, build, made) if kustomization_in(repository, path) else None
        if built is not None:
            _add(made, path, built)
            return
        for file in repository.list_files(path):
            if file.endswith((".yaml", ".yml")):
                _add(made, file, repository.read_file(file))
    except (MeshcError, OSError):
        made.left.append(f"{path}: an engine applies it, but it isn't in this repository")


def _built(repository: Repository, root: str, build: Build, made: Folder) -> bytes | None:
    """The objects of a kustomization. If it can't be built here, None, and the reason is added to what isn't read."""
    closure = Closure(repository, load(b"{}\n", "mesh.yaml"))
    place = load(b"{}\n", "mesh.yaml").document.place(())
    closure.add_folder(root, place)
    if closure.problems:
        first = closure.problems[0]
        made.left.append(
            f"{root} can't be built, so its files are read without kustomize: {first.place.file}: {first.what}"
        )
        return None
    if closure.kinds.get(root) == "Component":
        return None
    try:
        built = build(closure.files, root)
        made.used |= closure.files.keys()
        return built
    except BuildError as error:
        made.left.append(
            f"{root} can't be built, so its files are read without kustomize: {error.what.splitlines()[0]}"
        )
        return None


def _add(made: Folder, where: str, data: bytes) -> None:
    documents, problems = read(data, where)
    if problems:  # a Helm template, or a dump that is cut off
        what = "a Helm template" if b"{{" in data else problems[0].code.title
        made.left.append(f"{problems[0].place}: {what}")
        made.passed_over += 1
        return
    made.documents += [(where, document.data) for document in documents]


def _documents(data: bytes, where: str) -> list[tuple[str, Any]]:
    return [(where, document.data) for document in read(data, where)[0]]


def _alternatives(made: Folder, roots: list[str]) -> None:
    """If folders side by side make the same object, they are for different clusters."""
    owners: dict[Any, set[str]] = {}
    for where, data in made.documents:
        if isinstance(data, dict) and data.get("kind"):
            owners.setdefault(identity_of(data), set()).add(where)
    rivals = sorted({one for where in owners.values() if len(where) > 1 for one in where} & {*roots})
    if rivals:
        above = posixpath.dirname(rivals[0]) or "."
        made.left.append(
            f"{', '.join(rivals)} make the same objects, so each belongs to its own cluster: "
            f"name the folder above them: --from .../{above}"
        )

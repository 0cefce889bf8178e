"""Writes a first mesh.yaml for live clusters, and shows what meshc would change in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from meshc import codes
from meshc.capture.adopt import adopt
from meshc.capture.adopted_parts import in_parts
from meshc.capture.dump_script import dump_script
from meshc.capture.dumps import dumps
from meshc.capture.homes import homes_of
from meshc.capture.live_trees import Sides, as_applied
from meshc.capture.rbac import Asker, Of, manifests
from meshc.capture.survey import survey
from meshc.capture.trouble import AskError
from meshc.commands.compiling import compiled_unasked, compiled_unrendered, expected_trees
from meshc.commands.live_clusters import LiveClusters, Reach
from meshc.commands.opened import Opened
from meshc.disk.repository import Repository
from meshc.errors import Problem, ProblemsError, Severity, UsageError
from meshc.kube import LABEL
from meshc.mesh.schema import schema_text
from meshc.output.kustomize import find
from meshc.output.trees import OUTPUT
from meshc.plain import plain
from meshc.review.diff import Difference, compare
from meshc.tree import FileTree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from meshc.capture.dump import Dump
    from meshc.commands.listener import Listener
    from meshc.output.kustomize import Kustomize

_TO_SEAL = (codes.CACERTS_MISSING,)
"""Problems that remain until a person has sealed the secrets of the clusters, because adopt doesn't read secrets."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """The written files, the notes, and the keys with a placeholder.

    `problems` are those of the written mesh.yaml, without the ones about sealed files.
    """

    files: tuple[str, ...]
    notes: tuple[str, ...]
    asked: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def holds(self) -> bool:
        """True if the written mesh.yaml compiles as soon as its secrets are sealed."""
        return not any(problem.severity is Severity.ERROR for problem in self.problems)


@dataclass(frozen=True, slots=True)
class FirstSync:
    """The changes of the first sync, and what wasn't compared."""

    difference: Difference
    sides: Sides


def script_to_dump(namespace: str) -> str:
    """The shell script that dumps the objects that adopt reads. Raises UsageError."""
    return dump_script(_checked(namespace))


def rights_to_adopt(namespace: str) -> str:
    """The least rights with which live clusters can be adopted, as manifests. Raises UsageError."""
    return manifests(Asker.ADOPT, Of(_checked(namespace)))


def _checked(namespace: str) -> str:
    if not LABEL.fullmatch(namespace):
        raise UsageError(f'"{plain(namespace)}" can\'t be a namespace', "--namespace istio-system")
    return namespace


def surveyed(folder: Path | None, reach: Reach, namespace: str, listener: Listener) -> list[Dump]:
    """The objects of each cluster, from a folder with dumps or from live clusters. Raises UsageError, AskError."""
    if (folder is None) == (not reach.contexts):
        raise UsageError("either a folder or clusters", "--from DIR, or --context CLUSTER=CONTEXT for each")
    if folder is None:
        return _living(reach, namespace, listener)
    if not folder.is_dir():
        raise UsageError(f'there is no folder "{folder}"')
    return _in_folder(Repository.around(folder, cached=False), listener)  # the folder may belong to anyone


def _in_folder(repository: Repository, listener: Listener) -> list[Dump]:
    """The objects in a folder. kustomize is searched only when a folder must be built."""

    @cache
    def kustomize() -> Kustomize:
        return find(repository)

    def build(files: Mapping[str, bytes], folder: str) -> bytes:
        return kustomize().build(files, folder, repository)

    found, notes = dumps(repository, build)
    for note in notes:
        listener.note(f"  {note}")
    if not found:
        what = f'no folder in "{repository.base}" has objects of Istio, or shows how it is installed'
        raise UsageError(what, "meshc adopt --print-dump-command > dump.sh; sh dump.sh CONTEXT...")
    return found


def adopted(file: Path, found: Sequence[Dump], *, parts: bool) -> Adoption:
    """Writes a mesh.yaml and its files: all of them, or none if one exists already. Raises RefusedError.

    With `parts`, each cluster and each namespace has its own file.
    """
    made = adopt(found)
    if parts:
        in_parts(made, schema_text(part=True).encode())
    files = {file.name: made.mesh.encode(), "mesh.schema.json": schema_text().encode(), **made.files}
    Repository.around(file.parent).create(FileTree(files))
    return Adoption(tuple(files), tuple(made.notes), tuple(made.asked), tuple(_problems(Opened(file))))


def _problems(opened: Opened) -> Sequence[Problem]:
    """The problems of the written mesh."""
    try:
        return compiled_unrendered(opened).problems
    except ProblemsError as error:
        return [problem for problem in error.problems if problem.code not in _TO_SEAL]


def of_first_sync(opened: Opened, found: Sequence[Dump]) -> FirstSync:
    """The changes of the first sync in live clusters, object by object. Writes nothing except the cache."""
    theirs = {home.name: home.dump for home in homes_of(found)}
    sides = as_applied(theirs, expected_trees(opened, compiled_unasked(opened, _TO_SEAL), None).under(OUTPUT))
    return FirstSync(compare(sides.before, sides.after), sides)


def _living(reach: Reach, namespace: str, listener: Listener) -> list[Dump]:
    """Queries all clusters in parallel. Raises the first AskError, because a mesh.yaml without a cluster would be
    wrong."""
    pairs = [word.partition("=") for word in reach.contexts]
    contexts = {name: context or name for name, _, context in pairs}
    if bad := [name for name in contexts if not LABEL.fullmatch(name)]:
        raise UsageError(f"\"{plain(bad[0])}\" can't be a cluster's name", f"--context NAME={plain(bad[0])}")
    clusters = LiveClusters(contexts, reach)
    found = []
    for answer in clusters.ask(list(contexts), lambda api: survey(api, namespace), listener):
        if isinstance(answer, AskError):
            raise answer
        found.append(answer)
    return found

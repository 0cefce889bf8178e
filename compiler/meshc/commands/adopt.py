"""Turns clusters that run already into a first mesh.yaml, and shows what meshc would change in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.capture.adopt import adopt
from meshc.capture.dump import Dump, dumps
from meshc.capture.living import Home
from meshc.capture.survey import survey
from meshc.capture.theirs import as_applied
from meshc.capture.trouble import AskError
from meshc.commands.compiling import compiled_whole, expected_trees
from meshc.commands.living import Living, Reach
from meshc.disk.repository import Repository
from meshc.errors import UsageError
from meshc.kube import LABEL
from meshc.mesh.schema import schema_text
from meshc.output.trees import OUTPUT
from meshc.plain import plain
from meshc.review.diff import Difference, compare
from meshc.tree import FileTree

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from meshc.commands.opened import Opened


@dataclass(frozen=True, slots=True)
class Adoption:
    """The files that were written beside mesh.yaml, and what a person should look at."""

    files: tuple[str, ...]
    notes: tuple[str, ...]


def surveyed(folder: Path | None, reach: Reach, namespace: str) -> list[Dump]:
    """The objects of each cluster: of a folder with dumps, else of living clusters. Raises UsageError, AskError."""
    if (folder is None) == (not reach.contexts):
        raise UsageError("either a folder or clusters", "--from DIR, or --context CLUSTER=CONTEXT for each")
    if folder is None:
        return _living(reach, namespace)
    if not folder.is_dir():
        raise UsageError(f'there is no folder "{folder}"')
    return dumps(Repository.around(folder))


def adopted(file: Path, found: Sequence[Dump]) -> Adoption:
    """Writes a mesh.yaml and what goes with it: files that aren't there yet, or none. Raises RefusedError."""
    made = adopt(found)
    files = {file.name: made.mesh.encode(), "mesh.schema.json": schema_text().encode(), **made.files}
    Repository.around(file.parent).create(FileTree(files))
    return Adoption(tuple(files), tuple(made.notes))


def of_first_sync(opened: Opened, found: Sequence[Dump]) -> Difference:
    """What the first sync would do to what runs, object by object. Writes nothing but the cache."""
    theirs = {Home.of(dump).name: dump.bodies for dump in found}
    output = expected_trees(opened, compiled_whole(opened), None).under(OUTPUT)
    return compare(*as_applied(theirs, output))


def _living(reach: Reach, namespace: str) -> list[Dump]:
    """All clusters at once. Raises the first AskError: a mesh.yaml that lacks a cluster would be a wrong one."""
    pairs = [word.partition("=") for word in reach.contexts]
    contexts = {name: context or name for name, _, context in pairs}
    if bad := [name for name in contexts if not LABEL.fullmatch(name)]:
        raise UsageError(f"\"{plain(bad[0])}\" can't be a cluster's name", f"--context NAME={plain(bad[0])}")
    clusters = Living(contexts, reach.kubeconfig, reach.seconds)
    found = []
    for answer in clusters.ask(list(contexts), lambda api: survey(api, namespace)):
        if isinstance(answer, AskError):
            raise answer
        found.append(answer)
    return found

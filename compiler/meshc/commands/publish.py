"""Compiles in memory and commits the result to a branch: here, to another one, or in another repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshc.commands.begin import begin_reading
from meshc.commands.clusters import Choice
from meshc.commands.compiling import compiled_whole, rendered_whole
from meshc.commands.focus import Focus
from meshc.commands.found import STDIN
from meshc.commands.opened import Opened
from meshc.disk.repository import Repository
from meshc.disk.scratch import clear_leftovers
from meshc.errors import UsageError
from meshc.output.trees import VERSIONS, expected_tree, versions_file
from meshc.publish.deliver import Content, Delivered, deliver
from meshc.publish.inputs import Watched
from meshc.publish.job import Job, Wanted, opened
from meshc.tree import FileTree

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.commands.listener import Listener
    from meshc.errors import Problem


@dataclass(frozen=True, slots=True)
class Order:
    """Where to publish to, and how: `dry` commits nothing, `dirty` takes uncommitted inputs, `older` goes back.

    With a `choice`, files of these clusters alone; what tells the engine of clusters stays as it stands.
    """

    wanted: Wanted
    dry: bool = False
    dirty: bool = False
    older: bool = False
    choice: Choice = field(default_factory=Choice)


@dataclass(frozen=True, slots=True)
class Published:
    """What was published, from which commit, to where, and what came of it."""

    mesh: str
    source: str
    target: str
    branch: str
    path: str
    done: Delivered
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]


def published(file: Path, order: Order, jobs: int | None, listener: Listener) -> Published:
    """Compiles, and commits the result to the branch that is wanted. Raises MeshcError; nothing is committed then."""
    if file == STDIN:
        raise UsageError("no commit holds a mesh.yaml from standard input", "commit the file, and name it with -f")
    clear_leftovers()
    watched = Watched.over(Repository.around(file.parent))
    begin_reading(watched)
    with opened(order.wanted, watched) as job:
        mesh = Opened(file, watched, listener=listener)
        compiled = compiled_whole(mesh)
        rendered = rendered_whole(mesh, compiled, jobs)
        compiled = compiled.with_problems(rendered.problems)
        tree = expected_tree(compiled.layout, rendered.trees, compiled.delivery)
        kustomize, name = mesh.kustomize.version, compiled.plan.mesh
        tree = FileTree.join(tree, {VERSIONS: versions_file(kustomize, name)})
        focus = Focus.on(compiled.plan, order.choice)
        if focus.left:
            listener.note(f"  note: {focus.left}")
        takes = None if focus.whole else focus.takes
        content = Content(tree, name, str(kustomize), job.source(dirty=order.dirty), takes)
        done = deliver(content, job.target, job.path, job.shop, dry=order.dry, older=order.older)
        return _published(job, content, done, compiled.problems)


def _published(job: Job, content: Content, done: Delivered, problems: tuple[Problem, ...]) -> Published:
    notes = (*job.target.notes, *done.notes)
    target = job.target
    return Published(content.mesh, content.source, str(target), target.branch, job.path, done, notes, problems)

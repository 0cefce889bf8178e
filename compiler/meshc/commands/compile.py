"""Compiles a mesh and writes both trees, unless the record of an earlier run shows that nothing has changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from meshc.commands.begin import begin_writing
from meshc.commands.clusters import Choice
from meshc.commands.last_run import InStep, Run, in_step, recall, remember
from meshc.disk.scratch import clear_leftovers
from meshc.disk.watched import Watched
from meshc.output.link import Link

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.commands.listener import Listener


@dataclass(frozen=True, slots=True)
class Done:
    """The result of a compile. `delivery` is the outcome for output/_delivery/; empty if there is none."""

    told: InStep
    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    delivery: str


@dataclass(frozen=True, slots=True)
class Order:
    """The clusters to compile (by default all), and how."""

    choice: Choice = field(default_factory=Choice)
    jobs: int | None = None
    link: Link = Link.AUTO
    cached: bool = True


def compile_and_write(file: Path, order: Order, listener: Listener) -> Done:
    """Reads, checks, renders and writes the selected clusters.

    Writes nothing if anything fails. Raises MeshcError: ProblemsError for wrong input, UsageError for a selection that
    matches no cluster, ToolError, and RefusedError for files that meshc didn't write.
    """
    repository = Watched.around(file.parent, cached=order.cached)
    begin_writing(repository, listener)
    clear_leftovers()
    known = None if order.choice else recall(Run(repository, file, order.link))
    if known is not None:
        return Done(known, (), known.clusters, (), "unchanged" if known.engine else "")
    return _compile(file, repository, order, listener)


def _compile(file: Path, repository: Watched, order: Order, listener: Listener) -> Done:
    from meshc.commands.opened import Opened, ask_early

    asked = ask_early(repository)
    from meshc.commands.compiling import compiled_whole, rendered_of
    from meshc.commands.focus import Focus
    from meshc.commands.schema import schema_is_stale
    from meshc.output.trees import Outcome, write_trees

    choice = order.choice
    opened = Opened(file, repository, asked, listener)
    compiled = compiled_whole(opened, order.link)
    compiled.searched.keep()
    focus = Focus.on(compiled.plan, choice)
    if focus.left:
        listener.note(f"  note: {focus.left}")
    rendered = rendered_of(opened, compiled, order.jobs, order.link, list(choice.of(compiled.plan)) if choice else [])
    outcome = Outcome(compiled.layout, rendered.trees, compiled.delivery, compiled.plan.mesh)
    written = write_trees(outcome, repository, opened.kustomize.version, whole=not choice)
    compiled = compiled.with_problems(rendered.problems)
    told = in_step(compiled, rendered, written.files)
    told = replace(told, pending=focus.pending(told.pending), problems=focus.problems(told.problems))
    if not schema_is_stale(opened) and not choice:
        remember(Run(repository, file, order.link), compiled, written.trees, told)
    return Done(told, written.written, written.unchanged, written.removed, written.delivery)

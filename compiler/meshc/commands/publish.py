"""Compiles in memory and commits the result to a branch: here, to another one, or in another repository."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from meshc.checks.fleet.delivery import delivery as check_delivery
from meshc.commands.begin import begin_reading
from meshc.commands.clusters import Choice
from meshc.commands.compiling import compiled_whole, rendered_whole
from meshc.commands.find_mesh import STDIN
from meshc.commands.focus import Focus
from meshc.commands.opened import Opened
from meshc.disk.repository import Repository
from meshc.disk.scratch import clear_leftovers
from meshc.errors import RefusedError, UsageError, stop_on
from meshc.output.trees import VERSIONS, expected_tree, versions_file
from meshc.pipeline import fleet_of
from meshc.plain import plain
from meshc.plan.unknown import some
from meshc.publish.deliver import Content, Delivered, deliver
from meshc.publish.inputs import Watched
from meshc.publish.job import Job, Wanted, opened
from meshc.tree import FileTree

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.commands.listener import Listener
    from meshc.errors import Problem
    from meshc.mesh.source import Source
    from meshc.plan.delivered import Delivery


@dataclass(frozen=True, slots=True)
class Order:
    """Where to publish to, and how: `dry` commits nothing, `dirty` allows uncommitted inputs, `older` allows an older
    commit.

    With a `choice`, publishes only files of these clusters, and doesn't change the delivery objects.
    """

    wanted: Wanted
    dry: bool = False
    dirty: bool = False
    older: bool = False
    choice: Choice = field(default_factory=Choice)


@dataclass(frozen=True, slots=True)
class Published:
    """The result: what was published, from which commit, to where."""

    mesh: str
    source: str
    target: str
    branch: str
    path: str
    done: Delivered
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]


def published(file: Path, order: Order, jobs: int | None, listener: Listener) -> Published:
    """Compiles, and commits the result to the target branch. If it raises MeshcError, nothing was committed."""
    if file == STDIN:
        raise UsageError("no commit holds a mesh.yaml from standard input", "commit the file, and name it with -f")
    clear_leftovers()
    watched = Watched.over(Repository.around(file.parent))
    begin_reading(watched)
    mesh = Opened(file, watched, listener=listener)
    target = _target(order.wanted, mesh.source)
    compiled = compiled_whole(mesh)
    with opened(target, watched) as job:
        _stop_on_unsigned(compiled.plan.delivery, job)
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
        done.notes.extend(_read_elsewhere(compiled.plan.delivery, job))
        return _published(job, content, done, compiled.problems)


def _target(wanted: Wanted, source: Source) -> Wanted:
    """The target from the command line, else from `delivery.publish`. Raises ProblemsError for an invalid one."""
    fleet = fleet_of(source)
    stop_on(check_delivery(fleet, source))
    delivery = fleet.mesh.spec.delivery
    said = delivery.publish if delivery else None
    if delivery is None or said is None or wanted.repo is not None:
        return replace(wanted, push=bool(wanted.push))
    return replace(
        wanted,
        repo=said.repo,
        branch=wanted.branch if wanted.branch is not None else said.branch or delivery.revision,
        path=wanted.path if wanted.path is not None else said.path,
        push=said.push if wanted.push is None else wanted.push,
        said=True,
    )


_KEY_ID = 16
"""The number of digits of a key ID, which is the end of a fingerprint."""


def _stop_on_unsigned(delivery: Delivery | None, job: Job) -> None:
    if delivery is None:
        return
    if job.shop.signs():
        if delivery.signature_keys and (made := job.shop.signature()) != "openpgp":
            raise RefusedError(
                f"Git signs with {plain(made)} here, and Argo CD verifies PGP signatures alone",
                "git config gpg.format openpgp, with a key that it lists",
            )
        if (
            delivery.signature_keys
            and (key := job.shop.signing_key())
            and key[-_KEY_ID:] not in delivery.signature_keys
        ):
            raise RefusedError(
                f"Git signs with key {plain(key)} here, and Argo CD accepts only {some(delivery.signature_keys)}",
                f"add the key to delivery.signatureKeys, or git config user.signingKey {delivery.signature_keys[0]}",
            )
        return
    hint = "git config --global commit.gpgSign true, with a PGP key"
    if delivery.flux and delivery.flux.verify_secret:
        raise RefusedError(
            "Flux accepts only signed commits (delivery.flux.verifySecret), but Git doesn't sign commits here",
            f"{hint} whose public part is in that Secret",
        )
    if delivery.signature_keys:
        raise RefusedError(
            "Argo CD accepts only signed commits (delivery.signatureKeys), but Git doesn't sign commits here",
            f"{hint} that it lists",
        )


def _read_elsewhere(delivery: Delivery | None, job: Job) -> list[str]:
    """A note if an option published to another branch than the engine reads."""
    if (
        delivery is None
        or delivery.repo_url is None
        or job.target.branch == delivery.revision.removeprefix("refs/heads/")
    ):
        return []
    read = f"{delivery.engine} is told to read {delivery.revision}, and this is branch {job.target.branch}"
    return [f"{read}: write revision: {job.target.branch} under delivery, and apply the root again"]


def _published(job: Job, content: Content, done: Delivered, problems: tuple[Problem, ...]) -> Published:
    notes = (*job.target.notes, *done.notes)
    target = job.target
    return Published(content.mesh, content.source, str(target), target.branch, job.path, done, notes, problems)

"""Finds the published output/ if `delivery.publish` says that it isn't beside mesh.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.output.trees import OUTPUT
from meshc.review.committed import Commits
from meshc.tree import FileTree

if TYPE_CHECKING:
    from meshc.commands.opened import Opened
    from meshc.plan.ir import Plan


@dataclass(frozen=True, slots=True)
class Published:
    """The published files, by path in output/. If they aren't known here, None, with the reason and a hint."""

    name: str
    output: FileTree | None
    why: str = ""
    hint: str = ""
    commit: str = ""
    """The commit of the branch with the output."""


def published_side(opened: Opened, plan: Plan, known: FileTree) -> Published | None:
    """The output/ at the place of `delivery.publish`; None if that is beside mesh.yaml itself.

    `known` is an output/ that was read already.
    """
    target = plan.delivery.publish if plan.delivery else None
    if target is None:
        return None
    if target.repo:
        hint = "check it out, and name the folder that contains output/: --against DIR"
        return Published(target.repo, None, f"what is published in {target.repo} isn't known here", hint)
    if opened.repository.from_top is None:
        return None
    commits = Commits(opened.repository.base)
    here = commits.place_in_repository().rstrip("/")
    above = here if target.path is None else target.path
    if commits.current() == target.branch and above == here:
        return None
    commit, name = commits.published(target.branch)
    if not commit:
        why = f'the branch "{target.branch}", where output/ is published, isn\'t known here'
        hint = f"git fetch origin {target.branch}:refs/remotes/origin/{target.branch}; or meshc publish, the first time"
        return Published(name, None, why, hint)
    found = commits.files_at_top(commit, f"{above}/{OUTPUT}".lstrip("/"), known)
    return Published(name, FileTree({path: data for path, data in found.items() if _is_plain(path)}), commit=commit)


def _is_plain(path: str) -> bool:
    return path.isprintable() and "\\" not in path

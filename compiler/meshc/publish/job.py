"""Turns the options of `meshc publish` into a source and a target, and checks both before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from meshc.errors import RefusedError, UsageError
from meshc.publish.address import Address, address, branch_name, folder_name, on_disk
from meshc.publish.checkout import Checkout
from meshc.publish.inputs import Watched
from meshc.publish.remote import Remote
from meshc.publish.target import Far, Near, Target
from meshc.publish.workshop import Workshop, listed

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of the command line; None for options that weren't given."""

    repo: str | None = None
    branch: str | None = None
    path: str | None = None
    push: bool | None = None
    remote: str = "origin"
    said: bool = False
    """True if mesh.yaml names the repository, and not the command line: then it can't be a folder of this machine."""


@dataclass(frozen=True, slots=True)
class Job:
    """The source, the temporary repository to build in, and the branch and folder to publish to."""

    target: Target
    path: str
    shop: Workshop
    checkout: Checkout
    watched: Watched

    def source(self, *, dirty: bool) -> str:
        """The compiled commit, "" before the first one; with -dirty if inputs differ from the commit.

        Raises RefusedError for such inputs unless they are allowed. Call it after the compile.
        """
        head = self.checkout.head()
        changed = self.watched.uncommitted(listed(self.checkout.git, head, "-r"), self.checkout.digest)
        if changed and not dirty:
            more = [f"  and {len(changed) - _SHOWN} more"] if len(changed) > _SHOWN else []
            names = "\n".join([*(f"  {name}" for name in changed[:_SHOWN]), *more])
            hint = "commit them first, so that the commit message can name the source; or use --allow-dirty"
            raise RefusedError(f"these inputs have uncommitted changes:\n{names}", hint)
        return f"{head}-dirty" if head and changed else head


@contextmanager
def opened(wanted: Wanted, watched: Watched) -> Iterator[Job]:
    """A job, while it lasts. Raises UsageError, RefusedError, ToolError."""
    branch = branch_name(wanted.branch) if wanted.branch is not None else ""
    named = folder_name(wanted.path) if wanted.path is not None else None
    if not (watched.root / ".git").exists():
        raise UsageError("mesh.yaml isn't in a Git repository, so there is no commit to publish", "git init")
    checkout = Checkout.at(watched.root)
    place = _place(wanted, checkout)
    near = place if isinstance(place, Checkout) else None
    address = place if isinstance(place, Address) else near.remote(wanted.remote) if near and wanted.push else None
    remote = Remote(address) if address else None
    settings = [*checkout.own.followed, *(near.own.followed if near else ())]
    shelves = [one.shelf for one in (checkout, near) if one]
    digest = near.digest if near else checkout.digest
    protocols = address.protocol if address else "none"
    with Workshop.opened(shelves, digest, settings, protocols) as shop:
        if branch and not shop.git.holds("check-ref-format", "--branch", branch):
            raise UsageError("--branch isn't a valid branch name")
        target: Target
        if near:
            target = replace(_near(near, branch, checkout, watched), remote=remote, remote_name=wanted.remote)
        else:
            assert remote is not None, "an address that isn't a work tree's"  # noqa: S101
            target = Far(remote, branch or remote.default_branch(shop), [])
        if remote:
            target.notes.extend(_passed_over(checkout, near))
        here = watched.base.relative_to(watched.root).as_posix() if near and near.root == checkout.root else ""
        yield Job(target, ("" if here == "." else here) if named is None else named, shop, checkout, watched)


def _place(wanted: Wanted, checkout: Checkout) -> Checkout | Address:
    """The target: the repository of mesh.yaml itself, another work tree, or an address."""
    if wanted.repo is None:
        return checkout
    found = address(wanted.repo, named=not wanted.said)
    if isinstance(found, Address):
        return found
    if not found.is_dir():
        raise UsageError(f'there is no folder "{found}"')
    root = Path(found).resolve()
    if (root / ".git").exists():
        return checkout if root == checkout.root else Checkout.at(root)
    if not (root / "HEAD").is_file() or not (root / "objects").is_dir():
        raise UsageError(f'"{found}" isn\'t a Git repository', "name the top of a repository, or a URL")
    return on_disk(root)


def _near(near: Checkout, branch: str, checkout: Checkout, watched: Watched) -> Near:
    current = near.current()
    if not branch and not current:
        hint = "git switch BRANCH, or name the branch to publish to with --branch"
        raise UsageError(f'"{near.root}" is at a commit, not on a branch (a detached HEAD)', hint)
    same = near.shared == checkout.shared and checkout.current() == (branch or current)
    elsewhere = "" if near.root == checkout.root else str(near.root)
    return Near(near, branch or current, [], source=watched if same else None, elsewhere=elsewhere)


def _passed_over(checkout: Checkout, near: Checkout | None) -> list[str]:
    kinds = {*checkout.own.passed_over, *(near.own.passed_over if near else ())}
    if not kinds:
        return []
    return [f"meshc ignores these settings of a repository: {', '.join(sorted(kinds))}"]

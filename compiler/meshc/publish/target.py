"""Finds the branch to publish to, in this repository or at an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from meshc.disk.repository import Repository
from meshc.errors import RefusedError
from meshc.output.trees import OUTPUT, OVERLAYS, VERSIONS, read_trees, refuse_another
from meshc.publish.checkout import Checkout
from meshc.publish.inputs import Watched
from meshc.publish.remote import ALL, RECENT, Remote
from meshc.publish.workshop import Entry, Workshop
from meshc.tree import FileTree


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a branch: the commit to build on, and the commits of the branch here and at its remote ("" for
    none).

    If `follows` is set, the branch here is updated too.
    """

    tip: str
    here: str = ""
    there: str = ""
    follows: bool = True

    @property
    def settled(self) -> bool:
        """True if the branch is already at the commit to build on, in every place."""
        return self.tip == self.there and (not self.follows or self.tip == self.here)


@dataclass(frozen=True, slots=True)
class Change:
    """The content of a commit: files by path from the top, the tree below `path`, and the subject of the message."""

    path: str
    files: Mapping[str, bytes | None]
    tree: FileTree
    mesh: str
    why: str

    @property
    def folders(self) -> tuple[str, str]:
        """The two folders, from the top."""
        return folders_below(self.path)


class Target(Protocol):
    """A branch that can be read, and that can get a new commit."""

    @property
    def branch(self) -> str: ...
    @property
    def notes(self) -> list[str]: ...

    def __str__(self) -> str: ...

    def look(self, shop: Workshop, path: str) -> Standing:
        """The current state of the branch. Raises RefusedError if meshc must not commit to it."""

    def check(self, shop: Workshop, change: Change, standing: Standing) -> None:
        """Raises RefusedError if the new files would overwrite a file that meshc didn't write. Changes nothing."""

    def take(self, shop: Workshop, commit: str, standing: Standing, change: Change) -> bool:
        """Adds the commit to the branch; False if the branch moved in the meantime."""

    def deepen(self, shop: Workshop) -> None:
        """Fetches missing history, if possible."""


def folders_below(path: str) -> tuple[str, str]:
    """overlays/ and output/ of a target, from its top."""
    above = f"{path}/" if path else ""
    return above + OVERLAYS, above + OUTPUT


@dataclass(slots=True)
class Far:
    """A branch of a repository at an address."""

    remote: Remote
    branch: str
    notes: list[str]

    def __str__(self) -> str:
        return f"{self.branch} of {self.remote.address}"

    def look(self, shop: Workshop, path: str) -> Standing:
        tip = self.remote.fetch(shop, self.branch, RECENT)
        return Standing(tip, there=tip, follows=False)

    def check(self, shop: Workshop, change: Change, standing: Standing) -> None:
        pass  # all existing files were checked in the commit

    def take(self, shop: Workshop, commit: str, standing: Standing, change: Change) -> bool:
        return self.remote.push(shop, self.branch, commit, standing.there)

    def deepen(self, shop: Workshop) -> None:
        self.remote.fetch(shop, self.branch, ALL)


@dataclass(slots=True)
class Near:
    """A branch of a repository on this machine, and of a remote of it if it is to be pushed.

    `source` is what was compiled, if it was this very branch; `elsewhere` the work tree, if that isn't mesh.yaml's.
    """

    checkout: Checkout
    branch: str
    notes: list[str]
    remote: Remote | None = None
    remote_name: str = ""
    source: Watched | None = None
    elsewhere: str = ""

    def __str__(self) -> str:
        where = f"{self.branch} of {self.elsewhere}" if self.elsewhere else self.branch
        return f"{where}, pushed to {self.remote.address}" if self.remote else where

    @property
    def _checked_out(self) -> bool:
        return self.checkout.current() == self.branch

    def look(self, shop: Workshop, path: str) -> Standing:
        here = self.checkout.tip(self.branch)
        if self._checked_out:
            self.checkout.refuse_under_way()
        else:
            self.checkout.refuse_elsewhere(self.branch)
        if self.remote is None:
            return Standing(here, here, here)
        shop.offer(here, self.checkout.head())
        there = self.remote.fetch(shop, self.branch)
        if not there or (here and shop.follows(here, there)):
            return Standing(here, here, there)
        if here and not shop.follows(there, here):
            raise RefusedError(f'branch "{self.branch}" and that of {self.remote.address} have diverged', _PULL)
        if self.source and not (here and self.source.same(shop.entries(here), shop.entries(there))):
            raise RefusedError(
                f'branch "{self.branch}" of {self.remote.address} has new commits, which change the compiled files',
                _PULL,
            )
        if not self._checked_out or _only_below(folders_below(path), shop.entries(here), shop.entries(there)):
            return Standing(there, here, there)
        if _BEHIND not in self.notes:
            self.notes.append(_BEHIND)
        return Standing(there, here, there, follows=False)

    def check(self, shop: Workshop, change: Change, standing: Standing) -> None:
        if self._checked_out and standing.follows:
            place = self.checkout.place(change.path)
            found = read_trees(place)
            refuse_another(found, change.mesh)
            place.refuse_foreign(units_of(found, change.tree))
            if change.files:
                self._refuse_edited(shop, found, change, standing)

    def _refuse_edited(self, shop: Workshop, found: FileTree, change: Change, standing: Standing) -> None:
        """Raises RefusedError for files in the work tree that differ from the commit and from the new content."""
        above = f"{change.path}/" if change.path else ""
        unlike = [path for path, data in found.items() if data != change.tree.get(path) and path != VERSIONS]
        entries = shop.entries(standing.here, *change.folders)
        committed = shop.contents({path: entries[above + path] for path in unlike if above + path in entries})
        if edited := [path for path in unlike if committed.get(path) != found[path]]:
            more = [f"  and {len(edited) - _SHOWN} more"] if len(edited) > _SHOWN else []
            names = "\n".join([*(f"  {above}{path}" for path in edited[:_SHOWN]), *more])
            hint = "run meshc compile, or git checkout them: publish would overwrite uncommitted changes"
            raise RefusedError(f"these files have uncommitted changes:\n{names}", hint)

    def take(self, shop: Workshop, commit: str, standing: Standing, change: Change) -> bool:
        if self.remote:
            if commit != standing.there and not self.remote.push(shop, self.branch, commit, standing.there):
                return False
            self.checkout.track(self.remote_name, self.branch, commit)
        if commit == standing.here or not standing.follows:
            return True
        self.checkout.take(shop.pack(commit, (standing.here,)), commit)
        if self._checked_out:
            self._bring(shop, commit, standing.here, change)
        if self.checkout.move(self.branch, commit, standing.here, change.why):
            return True
        if self.remote:
            self.notes.append(f'the push is done, but branch "{self.branch}" here changed in the meantime: git pull')
        return self.remote is not None

    def _bring(self, shop: Workshop, commit: str, here: str, change: Change) -> None:
        """Writes the files first, then the index, and the branch last: if it is interrupted, the rest can still be
        committed."""
        bring(self.checkout.place(change.path), change.tree)
        old, new = (shop.entries(one, *change.folders) for one in (here, commit))
        above = f"{change.path}/" if change.path else ""
        arriving = {path: one for path, one in new.items() if path.removeprefix(above) in change.tree}
        self.checkout.stage(arriving, [path for path in old if path not in new], change.folders)

    def deepen(self, shop: Workshop) -> None:
        if self.remote:
            self.remote.fetch(shop, self.branch, ALL)


_SHOWN = 10
_PULL = "git pull, then publish again"
_BEHIND = "the branch that is checked out is behind its remote: git pull"


def _only_below(folders: Sequence[str], old: Mapping[str, Entry], new: Mapping[str, Entry]) -> bool:
    """True if all differences are in the given folders."""
    changed = [path for path in {*old, *new} if old.get(path) != new.get(path)]
    return all(path.startswith(tuple(f"{folder}/" for folder in folders)) for path in changed)


def units_of(found: FileTree, tree: FileTree) -> dict[str, FileTree | bytes | None]:
    """Every unit of the old and the new files, with its new content."""
    units = {"/".join(path.split("/")[:2]) for path in (*found, *tree)}
    return {unit: tree[unit] if unit in tree else (tree.under(unit) or None) for unit in units}


def bring(place: Repository, tree: FileTree) -> None:
    """Writes both trees into a work tree, all or nothing."""
    place.begin()
    place.replace(units_of(read_trees(place), tree))

"""Publishes both trees as one commit on a branch. If the branch moved in the meantime, the commit is built again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from meshc.disk.marked import refuse_foreign
from meshc.disk.units import generated
from meshc.errors import RefusedError
from meshc.output.trees import VERSIONS, refuse_another, versions_in
from meshc.publish.message import message
from meshc.publish.target import Change, Standing, Target, folders_below
from meshc.publish.workshop import Entry, Workshop
from meshc.tree import FileTree

_TRIES = 5
_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Content:
    """What is published: both trees, the mesh's name, and the source commit ("" if there is none yet)."""

    tree: FileTree
    mesh: str
    kustomize: str
    source: str
    takes: Callable[[str], bool] | None = None
    """Selects the files to publish, if only some of them are published; the others stay unchanged."""

    def over(self, before: FileTree) -> Content:
        """The new content for the old content `before`."""
        if self.takes is None:
            return self
        kept = {path: data for path, data in before.items() if not self.takes(path)}
        taken = {path: data for path, data in self.tree.items() if self.takes(path)}
        versions = {} if VERSIONS in kept else {VERSIONS: self.tree[VERSIONS]}
        return replace(self, tree=FileTree.join(FileTree(kept), {**taken, **versions}))


@dataclass(frozen=True, slots=True)
class Delivered:
    """The result: the commit ("" if nothing differs, or for a dry run), and its message."""

    commit: str
    message: str
    new_branch: bool
    differs: bool
    notes: list[str] = field(default_factory=list)


def deliver(whole: Content, target: Target, path: str, shop: Workshop, *, dry: bool, older: bool) -> Delivered:
    """Publishes below `path` of a target. A dry run writes nothing.

    Raises RefusedError for files that must not be replaced, or if the branch changes at each try; GitError.
    """
    signed = shop.signs()
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE * 2**attempt)
        standing = target.look(shop, path)
        before = _before(shop, standing.tip, path, whole)
        content = whole.over(before)
        notes = [] if older else _refuse_older(whole.source, standing, target, path, shop)
        change = _change(before, content, path)
        target.check(shop, change, standing)
        if not change.files:
            if dry or standing.settled or target.take(shop, standing.tip, standing, change):
                return Delivered("", "", False, False, notes)
            continue
        text = message(content.mesh, before, content.tree, content.source, content.kustomize)
        if dry:
            return Delivered("", text, not standing.tip, True, notes)
        commit = shop.commit(standing.tip, change.files, text, signed=signed)
        if target.take(shop, commit, standing, change):
            return Delivered(commit, text, not standing.tip, True, notes)
    raise RefusedError(f"the branch changed {_TRIES} times during the publish; nothing was pushed", "try again")


def _before(shop: Workshop, tip: str, path: str, content: Content) -> FileTree:
    """The files of meshc below a folder of a commit. Raises RefusedError for files that must not be replaced."""
    parts = path.split("/") if path else []
    above = ["/".join(parts[: number + 1]) for number in range(len(parts))]
    for folder in (*above, *folders_below(path)):
        entry = shop.at(tip, folder)
        if entry and not entry.is_folder:
            kind = "a submodule" if entry.kind == "commit" else "no folder"
            raise RefusedError(f'"{folder}" is {kind} on the branch', "choose another folder with --path")
    entries = {name.removeprefix(f"{path}/" if path else ""): one for name, one in _entries(shop, tip, path).items()}
    found = shop.contents({name: one for name, one in entries.items() if one.is_file})
    found |= dict.fromkeys(entries.keys() - found.keys(), b"")  # links and submodules: meshc makes none
    try:
        FileTree(found)
    except ValueError:
        raise RefusedError("overlays/ or output/ on the branch has a file with a name that isn't allowed") from None
    units = {tuple(name.split("/")[:2]) for name in content.tree}
    ours = generated(found)
    in_the_way = {name: data for name, data in found.items() if tuple(name.split("/")[:2]) in units or name in ours}
    refuse_foreign([{f"{path}/{name}" if path else name: data for name, data in in_the_way.items()}])
    before = FileTree(in_the_way)
    refuse_another(before, content.mesh)
    return before


def _entries(shop: Workshop, tip: str, path: str) -> Mapping[str, Entry]:
    return shop.entries(tip, *folders_below(path))


def _change(before: FileTree, content: Content, path: str) -> Change:
    """The changed files, by path from the top. Different versions in output/_meshc.yaml alone are no difference."""
    after, above = content.tree, f"{path}/" if path else ""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if names == [VERSIONS] and "mesh" in versions_in(before):
        names = []
    files = {above + name: after.get(name) for name in sorted(names)}
    return Change(path, files, after, content.mesh, f"meshc publish: {content.mesh}")


def _refuse_older(source: str, standing: Standing, target: Target, path: str, shop: Workshop) -> list[str]:
    """Raises RefusedError if the published files come from a later commit. Reports if it can't find out."""
    folders = folders_below(path)
    ours = source.removesuffix("-dirty")
    commit, theirs = shop.last_published(standing.tip, folders)
    if standing.tip and (commit in shop.cut_off() or not commit) and shop.cut_off():
        target.deepen(shop)
        commit, theirs = shop.last_published(standing.tip, folders)
    if not theirs or not ours or theirs == ours:
        return []
    if not shop.knows(theirs):
        return [f"the last publish was from {theirs[:12]}, which isn't in this clone, so it may be newer"]
    if shop.follows(theirs, ours):
        raise RefusedError(
            f"the published files were compiled from {theirs[:12]}, which is later than {ours[:12]}",
            "publish from the later commit, or use --allow-older to go back",
        )
    return []

"""Compares two trees of output/: objects that are added, changed and deleted, each change once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from meshc.components.contract import PRUNE_PROTECTION
from meshc.errors import MeshcError
from meshc.kube import Body, Identity, at
from meshc.review.compare import Edit, edits
from meshc.review.objects import Parser, Sides, clusters_in, folders_in
from meshc.review.shown import shown
from meshc.tree import FileTree

CLUSTER = "{cluster}"
"""Replaces the name of the cluster in an edit that is otherwise the same in several clusters."""


class Action(StrEnum):
    """The change of an object."""

    ADD = "add"
    CHANGE = "change"
    DELETE = "delete"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one object, with all clusters that have the same change. `origin` is the old cluster of a moved
    object.

    If `stays` is true, the object is removed from output/ but not from the cluster, because annotations protect it from
    pruning.
    """

    action: Action
    identity: Identity
    clusters: tuple[str, ...]
    edits: tuple[Edit, ...] = ()
    origin: str = ""
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """All differences, in the order of actions, kinds and names.

    `before` and `after` are the clusters of both sides; a renamed cluster has its new name in both. `renamed` has new
    names by old ones. `sides` are the objects themselves. Secrets in them are sealed, and must not be printed even so.
    `names` are the names of clusters with another ID in Istio, by that ID.
    """

    entries: tuple[Entry, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    renamed: Mapping[str, str]
    sides: Mapping[str, Sides]
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def clusters(self) -> tuple[str, ...]:
        """The clusters with changes."""
        names = {name for entry in self.entries for name in (*entry.clusters, entry.origin)}
        return tuple(sorted(name for name in names if name and not name.startswith("_")))

    def count(self, action: Action) -> int:
        """The number of objects. The same object in two clusters counts twice. A moved object counts as added and as
        deleted."""
        counted = (action,) if action is Action.CHANGE else (action, Action.MOVE)
        return sum(len(entry.clusters) for entry in self.entries if entry.action in counted and not entry.stays)

    @property
    def left(self) -> int:
        """The number of objects that leave output/ and stay in their clusters."""
        return sum(len(entry.clusters) for entry in self.entries if entry.stays)

    @property
    def summary(self) -> str:
        """`1 to add, 2 to change, 0 to delete in 3 clusters`."""
        numbers = ", ".join(
            f"{self.count(action)} to {action}" for action in (Action.ADD, Action.CHANGE, Action.DELETE)
        )
        clusters = len(self.clusters)
        renamed = f", {len(self.renamed)} renamed" if self.renamed else ""
        left = f", {self.left} left where {'it is' if self.left == 1 else 'they are'}" if self.left else ""
        return f"{numbers} in {clusters} cluster{'' if clusters == 1 else 's'}{left}{renamed}"

    def __bool__(self) -> bool:
        """True if there is any difference, even if only the name of a cluster changed."""
        return bool(self.entries or self.renamed)


def compare(before: FileTree, after: FileTree, renamed: Mapping[str, str] | None = None) -> Difference:
    """The changes of a sync from `before` to `after`, both trees of output/.

    `renamed` has new names by old ones. Raises MeshcError for a file that isn't YAML.
    """
    renamed = renamed or {}
    parser = Parser()
    sides: dict[str, Sides] = {}
    for old, new in renamed.items():
        before = _as_renamed(before, after, old, new)
    for folder in sorted(folders_in(before) | folders_in(after)):
        try:
            sides[folder] = parser.sides(before.under(folder), after.under(folder))
        except MeshcError as error:
            raise MeshcError(
                f"the state to compare with has a file that meshc can't read: output/{folder}/{error}"
            ) from None
    known: dict[tuple[int, int], tuple[Edit, ...]] = {}

    def edits_of(old: Body, new: Body) -> tuple[Edit, ...]:
        key = id(old), id(new)  # many clusters have the same object; `sides` keeps it
        if key not in known:
            known[key] = tuple(_edits(old, new))
        return known[key]

    entries = _grouped(entry for folder, side in sides.items() for entry in _entries(folder, side, edits_of))
    return Difference(_moved(entries, sides), clusters_in(before), clusters_in(after), renamed, sides)


def renames(before: FileTree, after: FileTree, evidence: Mapping[str, str]) -> dict[str, str]:
    """The new names of renamed clusters, by their old names.

    `evidence` has the old names by new ones, as far as mesh.yaml shows them. Without evidence, a removed and an added
    cluster are the same if 90 % of their objects are equal.
    """
    there, here = clusters_in(before), clusters_in(after)
    gone, come = (sorted({*some} - {*others}) for some, others in ((there, here), (here, there)))
    known = {old: new for new, old in evidence.items() if old in gone and new in come}
    if known or len(gone) != 1 or len(come) != 1:
        return known
    parser = Parser()
    (old,), (new,) = gone, come
    was, now = parser.objects(_as_renamed(before, after, old, new).under(new)), parser.objects(after.under(new))
    same = sum(now.get(identity) == body for identity, body in was.items())
    return {old: new} if same * 10 >= 9 * max(len(was), len(now), 1) else {}


def _entries(folder: str, sides: Sides, edits_of: Callable[[Body, Body], tuple[Edit, ...]]) -> Iterable[Entry]:
    for identity in sorted({*sides.before, *sides.after}):
        old, new = sides.before.get(identity), sides.after.get(identity)
        if old is None or new is None:
            stays = old is not None and _is_kept(old)
            yield Entry(Action.ADD if old is None else Action.DELETE, identity, (folder,), stays=stays)
        elif found := edits_of(old, new):
            yield Entry(Action.CHANGE, identity, (folder,), found)


def _is_kept(body: Body) -> bool:
    """True if an object is protected from pruning by both engines (`components.contract.PRUNE_PROTECTION`)."""
    notes = at(body, "metadata", "annotations") or {}
    return all(notes.get(key) == value for key, value in PRUNE_PROTECTION.items())


def _edits(old: Body, new: Body) -> Iterable[Edit]:
    if old.get("kind") != new.get("kind"):
        return [Edit("kind", str(old.get("kind")), str(new.get("kind")))]
    found = list(edits(shown(old), shown(new)))
    # Only hidden parts differ: a secret that was sealed again, or a MAC.
    return found or ([Edit("sops", "sealed", "sealed again")] if "sops" in new and old != new else [])


def _grouped(entries: Iterable[Entry]) -> list[Entry]:
    """One entry for each change that is the same in many clusters, apart from their names."""
    groups: dict[tuple[Action, Identity, tuple[Edit, ...], bool], list[Entry]] = {}
    for entry in entries:
        (cluster,) = entry.clusters
        neutral = tuple(_neutral(edit, cluster) for edit in entry.edits)
        groups.setdefault((entry.action, entry.identity, neutral, entry.stays), []).append(entry)
    found = []
    for (_, _, neutral_edits, _), members in groups.items():
        clusters = tuple(name for member in members for name in member.clusters)
        texts = members[0].edits if len(members) == 1 else neutral_edits
        found.append(replace(members[0], clusters=clusters, edits=texts))
    order = list(Action)
    return sorted(found, key=lambda entry: (order.index(entry.action), entry.identity, entry.clusters))


def _neutral(edit: Edit, cluster: str) -> Edit:
    if not any(cluster in text for text in (edit.path, edit.before or "", edit.after or "")):
        return edit
    word = _word(cluster)
    before, after = (None if t is None else word.sub(CLUSTER, t) for t in (edit.before, edit.after))
    return replace(edit, path=word.sub(CLUSTER, edit.path), before=before, after=after)


def _moved(entries: list[Entry], sides: Mapping[str, Sides]) -> tuple[Entry, ...]:
    """Credentials that are removed from one primary and added to another, shown as one move."""
    come = {e.identity: e for e in entries if e.action is Action.ADD and len(e.clusters) == 1}
    gone = {e.identity: e for e in entries if e.action is Action.DELETE and len(e.clusters) == 1}
    both = {
        identity
        for identity in come.keys() & gone.keys()
        if identity.kind == "Secret" and not _is_filled_in(sides[come[identity].clusters[0]].after[identity])
    }
    kept = [e for e in entries if e.identity not in both or e.action is Action.CHANGE]
    moves = [Entry(Action.MOVE, one, come[one].clusters, origin=gone[one].clusters[0]) for one in sorted(both)]
    return (*kept, *moves)


def _is_filled_in(body: Body) -> bool:
    """True if Kubernetes creates the token in the Secret. Such a Secret contains nothing that could move to another
    cluster."""
    return body.get("type") == "kubernetes.io/service-account-token"


def _as_renamed(tree: FileTree, after: FileTree, old: str, new: str) -> FileTree:
    """The tree with the cluster's new name instead of the old one.

    A cluster with a clusterID keeps that ID when its name changes. Then its objects don't contain the new name.
    """
    word, named = _word(old), _word(new)
    texts = {path: data.decode(errors=_ODD) for path, data in tree.under(old).items()}
    if any(named.search(data.decode(errors=_ODD)) for data in after.under(new).values()):
        texts = {path: word.sub(new, text) for path, text in texts.items()}
    below = {f"{new}/{path}": text.encode(errors=_ODD) for path, text in texts.items()}
    return FileTree.join({path: data for path, data in tree.items() if not path.startswith(f"{old}/")}, below)


_ODD = "surrogateescape"
"""The error handler that keeps bytes which aren't UTF-8."""


def _word(name: str) -> re.Pattern[str]:
    """Matches the name of a cluster in its own objects: only in the path of its webhook. Anywhere else it names
    something else."""
    return re.compile(rf"(?<=/cluster/){re.escape(name)}(?![A-Za-z0-9.-])")

"""Finds the next step for each cluster, from the plan and the state of the files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from meshc.plan.ir import Plan


@dataclass(frozen=True, slots=True)
class Known:
    """The state of the files of a mesh, by cluster.

    `stale` has the clusters that a compile would change, or is None if a compile isn't possible yet. `waiting` has the
    clusters with missing credentials, each with the primaries that need them. `ending` has the clusters with
    credentials that expire soon.
    """

    root: bool
    unissued: AbstractSet[str]
    waiting: Mapping[str, Sequence[str]]
    stale: AbstractSet[str] | None
    uncommitted: AbstractSet[str]
    ending: Mapping[str, str] = field(default_factory=dict)
    renewing: Mapping[str, str] = field(default_factory=dict)
    """Clusters whose CA must be renewed, each with the reason."""
    published: str = ""
    """Where output/ is published, if not beside mesh.yaml. Stale clusters then need `meshc publish`, not a commit."""
    unknown: bool = False
    """True if the published files aren't known here."""


@dataclass(frozen=True, slots=True)
class Step:
    """The next step for a cluster; `command` is set if one command does the step."""

    cluster: str
    step: Literal["issue", "compile", "commit", "publish", "seal", "sync"]
    what: str
    command: str = ""


def steps(plan: Plan, known: Known) -> Iterator[Step]:
    """A step for each cluster in file order, then for removed clusters that still have files."""
    names = [cluster.name for cluster in plan.clusters]
    for name in names:
        yield _step(name, known)
    for name in sorted(((known.stale or frozenset()) | known.uncommitted) - set(names)):
        if name.startswith("_"):
            step: _Tree = _stale_step(known) if name in (known.stale or ()) else "commit"
            yield Step(name, step, _OBJECTS[step], _BY[step])
        elif name in (known.stale or ()):
            step = _stale_step(known)
            yield Step(name, step, "isn't in mesh.yaml any more, so its compiled files must be removed", _BY[step])
        else:
            yield Step(name, "commit", "isn't in mesh.yaml any more: commit the removal of its files", "git commit")


_Tree = Literal["compile", "commit", "publish"]
_OBJECTS: Mapping[_Tree, str] = {
    "compile": "the objects for Argo CD or Flux are not up to date with mesh.yaml",
    "commit": "the objects for Argo CD or Flux are compiled, and not committed",
    "publish": "the published objects for Argo CD or Flux are not up to date with mesh.yaml",
}
_BY: Mapping[_Tree, str] = {"compile": "meshc compile", "commit": "git commit", "publish": "meshc publish"}


def _stale_step(known: Known) -> _Tree:
    return "publish" if known.published else "compile"


def _step(name: str, known: Known) -> Step:
    """The first step that is possible now: each step needs the one before, for example a sync needs a commit."""
    if name in known.unissued:
        if not known.root:
            return Step(name, "issue", "the mesh has no root yet, and so no CA", "meshc ca init --key-out ~/root.key")
        return Step(name, "issue", "has no CA", f"meshc ca issue {name} --root-key ~/root.key")
    if known.stale is None:
        others = sorted(known.unissued)
        more = f" and {len(others) - 1} more have" if len(others) > 1 else " has"
        return Step(name, "compile", f"once {others[0]}{more} a CA: a compile needs all of them", "meshc compile")
    if name in known.stale and known.published:
        what = f"its files in {known.published} are not up to date with mesh.yaml"
        what = f"the state of its files in {known.published} isn't known here" if known.unknown else what
        return Step(name, "publish", what, "meshc publish")
    if name in known.stale:
        return Step(name, "compile", "its files are not up to date with mesh.yaml", "meshc compile")
    if name in known.uncommitted:
        return Step(name, "commit", "its files are compiled, and not committed", "git commit")
    if name in known.renewing:
        return Step(name, "issue", f"its CA {known.renewing[name]}", f"meshc ca issue {name} --root-key ~/root.key")
    if name in known.waiting:
        lacking = known.waiting[name]
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        what = f"sync {name}, then hand over its credentials for {', '.join(lacking[:3])}{more}"
        return Step(name, "seal", what, f"meshc secrets seal - --remote {name}")
    if name in known.ending:
        what = known.ending[name].partition(": ")[2]
        return Step(name, "seal", what, f"meshc secrets seal - --replace --remote {name}")
    return Step(name, "sync", f"nothing is left to do here: output/{name} is what Argo CD or Flux syncs")


@dataclass(frozen=True, slots=True)
class Group:
    """Clusters with the same next step. For several clusters, the texts have CLUSTER in place of a name."""

    clusters: tuple[str, ...]
    step: str
    what: str
    command: str


def grouped(found: Sequence[Step]) -> list[Group]:
    """Groups many steps that differ only in the cluster's name, at the position of the first one."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for step in found:
        alike.setdefault(_of_any(step), []).append(step.cluster)
    told: dict[object, Group] = {}
    for step in found:
        key = _of_any(step)
        if len(alike[key]) > _EACH:
            told.setdefault(key, Group(tuple(alike[key]), *key))
        else:
            told[step] = Group((step.cluster,), step.step, step.what, step.command)
    return list(told.values())


_EACH = 4


_WORD = re.compile(r"[A-Za-z0-9.-]+")


def _of_any(step: Step) -> tuple[str, str, str]:
    """The step, its text and its command, with CLUSTER in place of the cluster's name."""

    def told(text: str) -> str:
        return _WORD.sub(lambda word: "CLUSTER" if word[0] == step.cluster else word[0], text)

    return step.step, told(step.what), told(step.command)

"""Works out the next step for each cluster, from the plan and the state of the files around it."""

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
    """What of a mesh is there and what isn't, by cluster.

    `stale` is what a compile would change, None where there can be no compile yet. `waiting` are clusters
    whose credentials are missing, and the primaries that lack them; `ending` those whose credentials end soon.
    """

    root: bool
    unissued: AbstractSet[str]
    waiting: Mapping[str, Sequence[str]]
    stale: AbstractSet[str] | None
    uncommitted: AbstractSet[str]
    ending: Mapping[str, str] = field(default_factory=dict)
    renewing: Mapping[str, str] = field(default_factory=dict)
    """Clusters whose CA is to be renewed, each with what is the matter."""
    published: str = ""
    """Where output/ is published, if that isn't beside mesh.yaml: what is stale is published then, not committed."""
    unknown: bool = False
    """Whether nothing here shows what is published there."""


@dataclass(frozen=True, slots=True)
class Step:
    """The next step for a cluster; `command` if one command does it."""

    cluster: str
    step: Literal["issue", "compile", "commit", "publish", "seal", "sync"]
    what: str
    command: str = ""


def steps(plan: Plan, known: Known) -> Iterator[Step]:
    """A step for each cluster in file order, then for those whose trees are left over."""
    names = [cluster.name for cluster in plan.clusters]
    for name in names:
        yield _step(name, known)
    for name in sorted(((known.stale or frozenset()) | known.uncommitted) - set(names)):
        if name.startswith("_"):
            step: _Tree = _stale_step(known) if name in (known.stale or ()) else "commit"
            yield Step(name, step, _OBJECTS[step], _BY[step])
        elif name in (known.stale or ()):
            step = _stale_step(known)
            yield Step(name, step, "is gone from mesh.yaml: what was compiled for it goes too", _BY[step])
        else:
            yield Step(name, "commit", "is gone from mesh.yaml, and its files from here: commit that", "git commit")


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
    """In the order in which one makes the next possible: nothing is synced that isn't committed."""
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
        what = f"nothing here tells what is published in {known.published}" if known.unknown else what
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
        what = f"sync {name}, then seal its credentials for {', '.join(lacking[:3])}{more}"
        return Step(name, "seal", what, f"meshc secrets seal - --remote {name}")
    if name in known.ending:
        what = known.ending[name].partition(": ")[2]
        return Step(name, "seal", what, f"meshc secrets seal - --replace --remote {name}")
    return Step(name, "sync", f"nothing is left to do here: output/{name} is what Argo CD or Flux syncs")


@dataclass(frozen=True, slots=True)
class Group:
    """Clusters that wait for the same step. What is said of one of many says CLUSTER instead of its name."""

    clusters: tuple[str, ...]
    step: str
    what: str
    command: str


def grouped(found: Sequence[Step]) -> list[Group]:
    """Joins many steps that differ only in the name of their cluster, at the place of the first one."""
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
    """The text of a step that applies to any of many clusters."""

    def told(text: str) -> str:
        return _WORD.sub(lambda word: "CLUSTER" if word[0] == step.cluster else word[0], text)

    return step.step, told(step.what), told(step.command)

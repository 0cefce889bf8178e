"""Describes a change of a mesh, and finds the line at which each danger is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshc import codes
from meshc.errors import Code, Path, Place, Problem
from meshc.review.diff import Difference
from meshc.review.moves import Runs
from meshc.review.origins import Origins, entry_of
from meshc.review.risks_of_objects import Risk

if TYPE_CHECKING:
    from meshc.mesh.source import Source
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.tree import FileTree

SPEC: Path = ("spec",)


@dataclass(frozen=True, slots=True)
class Change:
    """A difference with the plans of both sides. `before` is the plan of the old mesh.yaml, if it can be read."""

    difference: Difference
    trees: tuple[FileTree, FileTree]
    before: Plan | None
    after: Plan
    source: Source
    origins: Origins
    runs: Runs = field(default_factory=dict)
    was: Source | None = None
    """The text from which `before` was made."""


def leaving(difference: Difference) -> tuple[str, ...]:
    """The clusters that leave the mesh."""
    return tuple(name for name in difference.before if name not in difference.after)


def listed(clusters: tuple[str, ...]) -> str:
    """The names of some clusters, and the number of further ones."""
    more = len(clusters) - _SHOWN
    shown = [f"output/{name}" if name.startswith("_") else name for name in clusters[:_SHOWN]]
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


_SHOWN = 6


def at_clusters(change: Change, risks: Iterable[Risk]) -> Iterator[Problem]:
    """The risks as problems, each at the line of the change. Equal problems at one line become one, with all their
    clusters."""
    found: dict[tuple[Code, str, Place], tuple[str, ...]] = {}
    for risk in risks:
        key = risk.code, risk.what, _place(change, risk)
        found[key] = tuple(sorted({*found[key], *risk.clusters})) if key in found else risk.clusters
    for (code, what, place), clusters in found.items():
        yield code.at(place, f"{what} in {listed(clusters)}", code.advice, clusters=clusters)


def _place(change: Change, risk: Risk) -> Place:
    """The line of the change; else the first of its clusters that is still in mesh.yaml."""
    known = {cluster.name: cluster.place for cluster in change.after.clusters}
    place = next((known[name] for name in risk.clusters if name in known), change.source.document.place(SPEC))
    entry = risk.entry or (entry_of(risk.identity) if risk.identity else None)
    return change.origins.of(place, risk.by or risk.clusters, risk.identity, _SECTIONS.get(risk.code, ""), entry)


_SECTIONS = {
    codes.MUTUAL_TLS_WEAKER: "security",
    codes.NAMESPACE_LEAVES: "namespaces",
    codes.INJECTION_CHANGED: "namespaces",
    codes.TAG_MOVED: "istio",
    codes.PLANE_LEAVES: "istio",
    codes.CREDENTIALS_MOVE: "istio",
    codes.COPY_LEAVES: "services",
    codes.SERVICE_MOVES: "services",
    codes.PORT_CHANGED: "services",
    codes.SYNC_SOURCE: "delivery",
}
"""The key of spec that most likely caused a danger of an object that meshc makes."""


def on_both_sides(change: Change) -> Iterator[tuple[str, ClusterPlan, ClusterPlan]]:
    """The clusters that exist before and after, by their new names."""
    if change.before is None:
        return
    old_names = {new: old for old, new in change.difference.renamed.items()}
    old = {cluster.name: cluster for cluster in change.before.clusters}
    for cluster in change.after.clusters:
        was = old.get(old_names.get(cluster.name, cluster.name))
        if was is not None:
            yield cluster.name, was, cluster


def at_cluster(change: Change, code: Code, name: str, what: str) -> Problem:
    place = change.origins.of(change.after.cluster(name).place, (name,))
    return code.at(place, what, code.advice, clusters=[name])

"""Finds Services that start or stop running in a cluster, from the copies that are removed and added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import TYPE_CHECKING

from meshc import codes
from meshc.kube import Identity, at
from meshc.review.diff import Action, Difference
from meshc.review.risks_of_objects import Risk, bodies

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import Plan

Runs = Mapping[tuple[str, str], Set[str]]
"""The clusters in which each exported Service runs from now on, by namespace and name."""


def moves(difference: Difference, runs: Runs, plan: Plan) -> Iterator[Risk]:
    """Copies that are removed because the Service runs there now, and copies that are added where the Service ran
    before, or may still run."""
    copied = _copied_before(difference) | _copied_still(difference, plan)
    for entry, old, new in bodies(difference, Action.DELETE, Action.ADD, Action.MOVE):
        if not _is_copy(entry.identity, old or new):
            continue
        now = runs.get((entry.identity.namespace, entry.identity.name), frozenset())
        goes = {Action.DELETE: entry.clusters, Action.MOVE: (entry.origin,)}.get(entry.action, ())
        comes = () if entry.action is Action.DELETE else entry.clusters
        here = tuple(name for name in goes if name in now and name in difference.before)
        there = tuple(name for name in comes if name in difference.before and entry.identity in copied)
        if here:
            what = f"the copy of {entry.identity} is pruned, together with a Service that was already applied over it,"
            yield Risk(codes.SERVICE_MOVES, what, here, entry.identity)
        if there:
            what = f"a copy of {entry.identity} is added, and overwrites the Service itself if it still runs there,"
            yield Risk(codes.SERVICE_MOVES, what, there, entry.identity)


def gone(difference: Difference, runs: Runs) -> Iterator[Risk]:
    """Copies that are removed from clusters where the Service doesn't run either."""
    for entry, _, _ in bodies(difference, Action.DELETE):
        now = runs.get((entry.identity.namespace, entry.identity.name), frozenset())
        staying = tuple(name for name in entry.clusters if name in difference.after and name not in now)
        if entry.identity.kind == "Service" and not entry.identity.group and staying:
            name = f"{entry.identity.namespace}/{entry.identity.name}"
            what = f"the copy of Service {name} is removed, so clients can no longer resolve its name"
            yield Risk(codes.COPY_LEAVES, what, staying, entry.identity)


def _copied_before(difference: Difference) -> set[Identity]:
    """Services with a copy that is changed or removed in some cluster."""
    entries = bodies(difference, Action.DELETE, Action.CHANGE, Action.MOVE)
    return {entry.identity for entry, old, _ in entries if _is_copy(entry.identity, old)}


def _copied_still(difference: Difference, plan: Plan) -> set[Identity]:
    """Services with a copy that isn't new, in a cluster that existed before."""
    new = {(e.identity, name) for e in difference.entries if e.action is Action.ADD for name in e.clusters}
    found: set[Identity] = set()
    for cluster in plan.clusters:
        if cluster.name in difference.before:
            shared = (copy for base in plan.bases if base.name in cluster.bases for copy in base.copies)
            keys = (Identity("", "Service", copy.namespace, copy.name) for copy in (*shared, *cluster.copies))
            found.update(key for key in keys if (key, cluster.name) not in new)
    return found


def _is_copy(identity: Identity, body: Body) -> bool:
    """True for a Service that meshc made without a selector."""
    made = at(body, "metadata", "labels", "app.kubernetes.io/managed-by") == "meshc"
    return identity.kind == "Service" and not identity.group and made and not at(body, "spec", "selector")

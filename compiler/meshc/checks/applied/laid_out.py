"""Builds the view of a cluster before any patch: the objects of its resources and charts that no patch matches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from meshc.checks.applied.causes import at_place, of_object
from meshc.checks.applied.view import Touched, View
from meshc.kube import identity_of, is_object
from meshc.overlays.reaching import reaching

if TYPE_CHECKING:
    from meshc.errors import Place
    from meshc.kube import Body, KubeObject
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.offers import ServiceCopy


class Laid(NamedTuple):
    """The objects of a cluster: all that meshc and charts make, and those of charts with the line of each chart.

    `unreadable` has the user's files that are skipped, because a problem is already reported for them.
    """

    ours: Sequence[KubeObject]
    of_charts: Sequence[tuple[Body, Place]]
    unreadable: Collection[str]


def view_laid_out(plan: Plan, cluster: ClusterPlan, laid: Laid, offered: Mapping[tuple[str, str], ServiceCopy]) -> View:
    """The view of the objects that no patch matches, as they will be applied."""
    theirs = [one for file in cluster.resources for one in file.objects if is_object(one.body)]
    told = [one for one in theirs if one.place.file not in laid.unreadable]
    touched = [
        Touched(identity_of(one.body), one.body, None, of_object(one))
        for one in told
        if not is_reached(cluster, one.body)
    ]
    touched += [
        Touched(identity_of(body), body, None, at_place(place))
        for body, place in laid.of_charts
        if not is_reached(cluster, body)
    ]
    bodies = [one.body for one in laid.ours]
    return View(
        plan,
        cluster,
        touched,
        lambda: [*bodies, *(one.body for one in theirs)],
        offered,
        theirs=frozenset(identity_of(one.body) for one in theirs),
    )


def is_reached(cluster: ClusterPlan, body: Body) -> bool:
    """True if a patch or a component may change an object. Another check reports targets that can't be parsed."""
    try:
        return bool(cluster.components) or any(reaching(patch)(body) for patch in cluster.patches)
    except ValueError:
        return True

"""Builds the view of a cluster before any patch: the objects of its resources and charts that no patch reaches."""

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
    """The objects of a cluster: all that meshc and charts make, and those of charts with the lines that name them.

    A problem is already reported for the user's files that are `unreadable`, so they are skipped.
    """

    ours: Sequence[KubeObject]
    of_charts: Sequence[tuple[Body, Place]]
    unreadable: Collection[str]


def view_laid_out(plan: Plan, cluster: ClusterPlan, laid: Laid, offered: Mapping[tuple[str, str], ServiceCopy]) -> View:
    """The objects that no patch reaches, as they will be applied."""
    theirs = [one for file in cluster.resources for one in file.objects if is_object(one.body)]
    told = [one for one in theirs if one.place.file not in laid.unreadable]
    touched = [Touched(one.body, None, of_object(one)) for one in told if not is_reached(cluster, one.body)]
    touched += [Touched(body, None, at_place(place)) for body, place in laid.of_charts if not is_reached(cluster, body)]
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
    """True where a patch or a component may change an object. A target that can't be read is told elsewhere."""
    try:
        return bool(cluster.components) or any(reaching(patch)(body) for patch in cluster.patches)
    except ValueError:
        return True

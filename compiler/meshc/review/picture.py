"""Draws the clusters that a change affects, with the change of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from meshc.plan.picture.bundles import Limits
from meshc.plan.picture.mermaid import mermaid
from meshc.plan.picture.views import View, view_of

if TYPE_CHECKING:
    from meshc.plan.ir import Plan
    from meshc.review.touched import Touched

_FEW, _LIMITS = 3, Limits(alone=6, bundles=8, arrows=16)


def picture_of(found: Sequence[Touched], before: Plan | None, after: Plan) -> str:
    """A Mermaid flowchart of the changed clusters, with at most eight nodes; empty if no cluster changes.

    If fewer than three clusters change, the chart also shows the clusters that they are connected with. Clusters that
    leave come from the plan `before`, if there is one.
    """
    gone = tuple(one for one in before.clusters if _is_gone(one.name, found)) if before else ()
    plan = replace(after, clusters=(*after.clusters, *gone))
    names = {one.cluster for one in found} & {one.name for one in plan.clusters}
    marks = {one.name: "unchanged" for one in plan.clusters} | {one.cluster: one.state for one in found}
    whole = view_of(plan, View.OVERVIEW, marks)
    picture = whole.of(names) if len(names) >= _FEW else whole.around(names)
    return mermaid(picture, plan.networks, _LIMITS) if names else ""


def _is_gone(name: str, found: Sequence[Touched]) -> bool:
    return any(one.cluster == name and one.state == "removed" for one in found)

"""Finds the dangers for sidecars when a tag moves, or when a control plane is removed.

A moved tag doesn't change running pods: each pod keeps its sidecar until it is replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from meshc import codes
from meshc.plan.namespaces import INJECTION, REVISION
from meshc.review.lines import TAGS
from meshc.review.risks_of_objects import Risk

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan

_SHOWN = 5


def revisions_at_risk(both: Iterable[tuple[ClusterPlan, ClusterPlan]]) -> Iterator[Risk]:
    """The dangers in clusters that are in both plans, each once, with its clusters."""
    found: dict[tuple[str, str], tuple[Risk, list[str]]] = {}
    for was, now in both:
        for risk in (*_tags(was, now), *_control_planes(was, now)):
            found.setdefault((risk.code.id, risk.what), (risk, []))[1].append(now.name)
    for risk, names in found.values():
        yield risk._replace(clusters=tuple(names))


def _tags(was: ClusterPlan, now: ClusterPlan) -> Iterator[Risk]:
    for tag, old in was.revision_tags.items():
        new = now.revision_tags.get(tag)
        if new is None:
            what = f'tag "{tag}" is removed: pods that still use it get no sidecar'
            yield Risk(codes.TAG_MOVED, what, (now.name,), entry=(TAGS, tag))
        elif new != old:
            there = _few(name for name, asked in _asked(now) if asked == tag)
            whose = f'tag "{tag}", which {there} use{"" if "," in there else "s"},' if there else f'tag "{tag}"'
            comes = "" if was.plane(new) else ", which this change adds,"
            what = f"{whose} points to {_plane(now, new)}{comes} instead of {_plane(was, old)}"
            yield Risk(codes.TAG_MOVED, what, (now.name,), entry=(TAGS, tag))


def _control_planes(was: ClusterPlan, now: ClusterPlan) -> Iterator[Risk]:
    kept = {plane.revision for plane in now.planes}
    for plane in was.planes:
        if plane.revision in kept:
            continue
        lost = _few(name for name, asked in _asked(was) if was.revision_tags.get(asked, asked) == plane.revision)
        served = f", which injected sidecars into {lost} before this change," if lost else ""
        what = f"the control plane of revision {_plane(was, plane.revision)}{served} is removed"
        yield Risk(codes.PLANE_LEAVES, what, (now.name,))


def _asked(cluster: ClusterPlan) -> Iterator[tuple[str, str]]:
    """Each namespace, and each gateway that is rendered from a chart, with the revision or tag that injects it."""
    for chart in cluster.charts:
        if chart.chart == "gateway":
            yield f"gateway {chart.release}", chart.revision or cluster.revision
    for one in cluster.namespaces:
        asked = one.labels.get(REVISION) or ("default" if one.labels.get(INJECTION) == "enabled" else "")
        if asked:
            yield one.name, asked


def _plane(cluster: ClusterPlan, revision: str) -> str:
    plane = cluster.plane(revision)
    return f'"{revision}" (Istio {plane.istio})' if plane else f'"{revision}"'


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _SHOWN
    return ", ".join(listed[:_SHOWN]) + (f" and {more} more" if more > 0 else "")

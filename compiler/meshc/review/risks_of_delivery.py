"""Finds what a change of the engine or its settings does to objects that were applied before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan

_ROOT = {name: name for name in ("engine", "revision", "path", "namespace", "project", "publish")}
_ROOT |= {"repoURL": "repo_url", "runsIn": "runs_in", "signatureKeys": "signature_keys"}
"""Keys of mesh.yaml, and what they are in the plan."""


def root_changes(before: Plan, after: Plan) -> Iterator[str]:
    """Who applies the output follows a root: another name, engine or place leaves the old one with what it applied."""
    was, now = before.delivery, after.delivery
    if was and now and before.mesh != after.mesh:
        yield f"the mesh is named {after.mesh} instead of {before.mesh}"
    if was and not now:
        yield "there is no delivery any more: nothing takes away what the root applies"
    elif was and now:
        yield from (
            f"delivery.{key} changes" for key, name in _ROOT.items() if getattr(was, name) != getattr(now, name)
        )
        if was.flux and now.flux and was.flux != now.flux:
            yield "delivery.flux changes"


def another_way(before: Plan, after: Plan, was: ClusterPlan, now: ClusterPlan) -> str:
    """The new name of a cluster in the same engine; empty if it doesn't change."""
    engines = {plan.delivery.engine if plan.delivery else "" for plan in (before, after)}
    if len(engines) > 1 or not (was.delivered_by and now.delivered_by) or was.delivered_by == now.delivered_by:
        return ""
    return f'"{now.name}" is delivered to by "{now.delivered_by}" instead of "{was.delivered_by}"'

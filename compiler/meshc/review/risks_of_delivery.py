"""Finds the effects of a changed engine, or of its changed settings, on objects that were applied before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from meshc.plan.unknown import some

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan

_ROOT = {name: name for name in ("engine", "revision", "path", "namespace", "project", "publish")}
_ROOT |= {"repoURL": "repo_url", "runsIn": "runs_in"}
"""Keys of mesh.yaml, with the names of their fields in the plan."""


def root_changes(before: Plan, after: Plan) -> Iterator[str]:
    """Changes of the root object that the engine reads. With another name, engine or place, the old root keeps the
    objects that it applied."""
    was, now = before.delivery, after.delivery
    if was and now and before.mesh != after.mesh:
        yield f"the mesh is named {after.mesh} instead of {before.mesh}"
    if was and not now:
        yield "delivery is removed: nothing deletes the objects that the engine's root applied"
    elif was and now:
        yield from (
            f"delivery.{key} changes" for key, name in _ROOT.items() if getattr(was, name) != getattr(now, name)
        )
        if was.flux and now.flux and was.flux != now.flux:
            yield "delivery.flux changes"


def project_changes(before: Plan, after: Plan) -> Iterator[tuple[str, str]]:
    """Changes of an AppProject with signature keys, each with a hint, because a person has to apply it: no engine
    does."""
    was, now = before.delivery, after.delivery
    if not was or not now or not (was.signature_keys or now.signature_keys):
        return
    if not now.signature_keys:
        hint = f"change AppProject {was.project} by hand: until then Argo CD still requires signed commits"
        yield "delivery.signatureKeys is removed", hint
    elif was.signature_keys != now.signature_keys:
        until = "uses the old keys" if was.signature_keys else "accepts unsigned commits"
        yield "delivery.signatureKeys changes", f"{_APPLY}; until then Argo CD {until}"
    elif joined := sorted(_reached(after) - _reached(before)):
        what = f"the applied AppProject {now.project} doesn't list {some(joined)} yet"
        yield what, f"{_APPLY}; until then Argo CD doesn't deploy there"
    elif left := sorted(_reached(before) - _reached(after)):
        what = f"the applied AppProject {now.project} still lists {some(left)}"
        yield what, f"when their Applications are deleted, run {_COMMAND}"


_COMMAND = "kubectl apply -f output/_delivery/argo-cd/project.yaml"
_APPLY = f"after you publish this, run {_COMMAND}"


def _reached(plan: Plan) -> set[str]:
    return {cluster.delivered_by for cluster in plan.clusters}


def another_way(before: Plan, after: Plan, was: ClusterPlan, now: ClusterPlan) -> str:
    """The new name of a cluster in the same engine; empty if it doesn't change."""
    engines = {plan.delivery.engine if plan.delivery else "" for plan in (before, after)}
    if len(engines) > 1 or not (was.delivered_by and now.delivered_by) or was.delivered_by == now.delivered_by:
        return ""
    return f'the name of "{now.name}" in the engine is "{now.delivered_by}" instead of "{was.delivered_by}"'

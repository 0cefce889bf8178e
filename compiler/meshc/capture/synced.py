"""Reads the state of a cluster in Argo CD or Flux and returns a row: whether it is synced, and whether the synced
commit has the output of HEAD."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from meshc.capture.resource import Resource
from meshc.capture.rows import Check, Row, State, of_error
from meshc.capture.trouble import AskError
from meshc.errors import ToolError
from meshc.kube import at
from meshc.plain import short

if TYPE_CHECKING:
    from meshc.capture.ask import Api
    from meshc.kube import Body
    from meshc.plan.delivered import Delivery
    from meshc.review.committed import Commits

_COMMIT = re.compile(r"(?:.*[@:/])?([0-9a-f]{64}|[0-9a-f]{40})")
"""Argo CD reports only a commit, Flux `main@sha1:<commit>`."""


def synced(api: Api, delivery: Delivery, name: str, cluster: str, commits: Commits) -> Row:
    """One row. `name` is the name of the object that applies the cluster. Never raises because of a cluster's
    answer."""
    argo = delivery.engine == "argo-cd"
    kind = (
        Resource("applications", delivery.namespace, name, "argoproj.io", "v1alpha1")
        if argo
        else Resource("kustomizations", delivery.namespace, name, "kustomize.toolkit.fluxcd.io", "v1")
    )
    try:
        body = api.find(kind)
    except AskError as error:
        return of_error(cluster, Check.SYNCED, error)
    if body is None:
        return Row(cluster, Check.SYNCED, State.UNKNOWN, f"{delivery.engine} has no {kind.plural[:-1]} {name}")
    good, state, revision = _of_argo(body) if argo else _of_flux(body)
    says = f"{short(state or 'no state yet', 60)} at {short(revision or 'no commit', 60)}"
    found = _COMMIT.fullmatch(revision)
    if not good or found is None:
        return Row(cluster, Check.SYNCED, State.DIFFERS, says)
    try:
        there = commits.folder(found[1], f"{delivery.path}/{cluster}")
        here = commits.folder("HEAD", f"./output/{cluster}")
    except ToolError:  # Git isn't installed
        there = here = None
    if there is None or here is None:
        return Row(
            cluster,
            Check.SYNCED,
            State.OK,
            f"{says}, a commit that meshc can't find in this repository, so it isn't compared",
        )
    if there != here:
        hint = "push HEAD, or pull; then wait for the sync"
        return Row(cluster, Check.SYNCED, State.DIFFERS, f"{says}, where output/{cluster} differs from HEAD", hint)
    return Row(cluster, Check.SYNCED, State.OK, f"{says}, where output/{cluster} is the same as in HEAD")


def _of_argo(body: Body) -> tuple[bool, str, str]:
    """Whether the object is healthy, its state, and the applied commit."""
    sync, health = at(body, "status", "sync"), at(body, "status", "health", "status")
    state = str(at(sync, "status") or "")
    ill = health in ("Degraded", "Missing")
    return state == "Synced" and not ill, f"{state}, {health}" if ill else state, str(at(sync, "revision") or "")


def _of_flux(body: Body) -> tuple[bool, str, str]:
    listed: Any = at(body, "status", "conditions")
    conditions = [one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, dict)]
    ready = next((one for one in conditions if one.get("type") == "Ready"), {})
    state, revision = str(ready.get("reason") or ""), str(at(body, "status", "lastAppliedRevision") or "")
    return ready.get("status") == "True", state, revision

"""Marks the objects that Flux must apply after istiod: Istio's configuration, tokens, and gateways.

Argo CD has a word of its own for an order within a cluster (sync waves); Flux goes by a mark, and a Kustomization more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from meshc.kube import identity_of

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import Plan

STAGE, LATER = "meshc/stage", ".later"
"""The annotation, and what the name of the second Kustomization ends in."""

_AFTER_BASE = ("chart gateway", "reader-token")
"""What else comes later. Kubernetes deletes a token whose account isn't there, and the account of a primary comes with
chart base, as the kinds of configuration do."""


def marked(plan: Plan, body: Body, origin: str) -> Body:
    """An object as it is committed. `origin` is the component or chart that made it."""
    if plan.delivery is None or plan.delivery.engine != "flux":
        return body
    if not (identity_of(body).group.endswith(".istio.io") or origin in _AFTER_BASE):
        return body
    metadata = body["metadata"]
    annotations = {**(metadata.get("annotations") or {}), STAGE: "after-istiod"}
    return {**body, "metadata": {**metadata, "annotations": annotations}}


def is_later(body: Body) -> bool:
    """Whether an object carries the mark."""
    metadata = body.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    return isinstance(annotations, Mapping) and STAGE in annotations

"""Marks the objects that Flux must apply after istiod: Istio's configuration, tokens, and gateways.

Argo CD has sync waves for the order within a cluster; for Flux, meshc uses an annotation and a second Kustomization.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from meshc.kube import identity_of

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import Plan

STAGE, LATER = "meshc/stage", ".later"
"""The annotation, and the suffix of the second Kustomization's name."""

_AFTER_BASE = ("chart gateway", "reader-token")
"""Other objects that come later: tokens. Kubernetes deletes a token Secret without its account, and chart base creates
the account of a primary, and the CRDs."""


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
    """True if an object has the annotation."""
    metadata = body.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    return isinstance(annotations, Mapping) and STAGE in annotations

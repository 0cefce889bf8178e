"""Prints the rights that a command needs in living clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.capture.addresses import exposure_of
from meshc.capture.rbac import ARGO_CD, FLUX, Asker, Engine, Of, manifests
from meshc.pipeline import plan_mesh

if TYPE_CHECKING:
    from meshc.commands.opened import Opened

_TELLS_ITS_CA = (1, 20)
"""The first Kubernetes with a ConfigMap kube-root-ca.crt in each namespace."""


def rbac_of(asker: Asker, opened: Opened) -> str:
    """Manifests of an account for a mesh. Raises ProblemsError for one without a plan."""
    plan = plan_mesh(opened.source)
    delivery = plan.delivery
    kind = ARGO_CD if delivery and delivery.engine == "argo-cd" else FLUX
    engine = Engine(delivery.namespace, *kind) if delivery else None
    pods = any(exposure_of(cluster) == "pod-ip" for cluster in plan.clusters)
    old = any(cluster.kubernetes.line < _TELLS_ITS_CA for cluster in plan.clusters)
    return manifests(asker, Of(plan.istio_namespace, engine, pods, old))

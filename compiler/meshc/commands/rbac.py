"""Prints the rights that a command needs in live clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.capture.addresses import exposure_of
from meshc.capture.live_trees import objects_in
from meshc.capture.rbac import ARGO_CD, FLUX, Asker, Engine, Of, manifests
from meshc.commands.clusters import chosen
from meshc.commands.doctor import Depth
from meshc.output.trees import OUTPUT, read_trees
from meshc.pipeline import plan_mesh
from meshc.tree import FileTree

if TYPE_CHECKING:
    from meshc.commands.clusters import Choice
    from meshc.commands.opened import Opened

_TELLS_ITS_CA = (1, 20)
"""The first version of Kubernetes with a ConfigMap kube-root-ca.crt in each namespace."""


def rbac_of(asker: Asker, opened: Opened, choice: Choice, depth: Depth = Depth.PLAIN) -> str:
    """Manifests of an account for the selected clusters, or all. `depth` is the depth of doctor's checks.

    `deep` adds the rights to read the objects of output/. Raises ProblemsError for an invalid mesh, UsageError.
    """
    plan = plan_mesh(opened.source)
    names = chosen(plan, choice)
    clusters = [plan.cluster(name) for name in names]
    delivery = plan.delivery if plan.delivery and (plan.delivery.runs_in or names[0]) in names else None
    kind = ARGO_CD if delivery and delivery.engine == "argo-cd" else FLUX
    engine = Engine(delivery.namespace, *kind) if delivery else None
    pods = any(exposure_of(cluster) == "pod-ip" for cluster in clusters)
    old = any(cluster.kubernetes.line < _TELLS_ITS_CA for cluster in clusters)
    standing = read_trees(opened.repository).under(OUTPUT) if depth else FileTree({})
    kinds = {(one.group, one.kind) for cluster in clusters for one in objects_in(standing.under(cluster.name))}
    return manifests(asker, Of(plan.istio_namespace, engine, pods, old, tuple(sorted(kinds)), depth is Depth.DRY_RUN))

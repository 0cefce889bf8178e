"""Adds sidecars to manifests, for clusters without an injection webhook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.commands.clusters import named
from meshc.commands.compiling import compiled_unrendered, rendered_of
from meshc.errors import MeshcError
from meshc.output.istioctl import configs_in, find, kube_inject
from meshc.output.link import Link
from meshc.pipeline import stop_on_kustomize

if TYPE_CHECKING:
    from meshc.commands.opened import Opened
    from meshc.plan.ir import ClusterPlan, Plan


def injected(opened: Opened, name: str, manifest: bytes) -> bytes:
    """The manifest with sidecars, as the cluster's injector would add them, including the user's patches.

    Raises MeshcError if the injection template isn't compiled here.
    """
    compiled = compiled_unrendered(opened)
    cluster = named(compiled.plan, name)
    holder = _holder(compiled.plan, cluster)
    program = find(compiled.plan.cluster(holder).istio)
    stop_on_kustomize(compiled, opened.source, opened.kustomize)
    rendered = rendered_of(opened, compiled, None, Link.AUTO, [holder]).trees
    return kube_inject(program, configs_in(rendered[holder], cluster), cluster.revision, manifest)


def _holder(plan: Plan, cluster: ClusterPlan) -> str:
    """The cluster whose ConfigMaps have the injection template: for classic Istio the cluster itself, for istiod its
    primary."""
    if plan.generation == "classic" and cluster.role == "remote":
        return cluster.name
    name = cluster.name
    holder = cluster.attachment.primary if cluster.attachment else name
    if not any(one.chart in ("istio", "istiod") for one in plan.cluster(holder).charts):
        raise MeshcError(
            f"{name}: the injection template comes with the chart of primary {holder}, and mesh.yaml names none",
            "set istio.charts, or run istioctl kube-inject with that cluster's own ConfigMaps",
        )
    return holder

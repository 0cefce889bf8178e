"""Adds sidecars to manifests, for clusters without an injection webhook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.commands.clusters import named
from meshc.commands.compiling import compiled_unrendered, rendered_of
from meshc.errors import MeshcError, UsageError
from meshc.kube import as_list, at, pods_in
from meshc.mesh.selecting import selects
from meshc.output.istioctl import configs_in, find, kube_inject
from meshc.output.link import Link
from meshc.pipeline import fleet_of, stop_on_kustomize
from meshc.plain import plain
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshc.commands.opened import Opened
    from meshc.plan.ir import ClusterPlan, Plan


def injected(opened: Opened, name: str, manifest: bytes, namespace: str | None) -> bytes:
    """The manifest with the sidecars that the cluster's injector would add, including the user's patches.

    `namespace` is the namespace of workloads without one. Raises MeshcError if the injection settings aren't compiled
    here, and UsageError for workloads of several revisions.
    """
    compiled = compiled_unrendered(opened)
    cluster = _plane(opened, named(compiled.plan, name), manifest, namespace)
    holder = _holder(compiled.plan, cluster)
    program = find(compiled.plan.cluster(holder).istio)
    stop_on_kustomize(compiled, opened.source, opened.kustomize)
    rendered = rendered_of(opened, compiled, None, Link.AUTO, [holder]).trees
    return kube_inject(program, configs_in(rendered[holder], cluster), cluster.revision, manifest)


def _plane(opened: Opened, cluster: ClusterPlan, manifest: bytes, default: str | None) -> ClusterPlan:
    """The cluster with the control plane whose revision or tag the workloads' namespaces name."""
    fleet = fleet_of(opened.source)
    member = fleet.by_name[cluster.name]
    said = {
        one.name: one.revision
        for one in fleet.mesh.spec.namespaces
        if one.revision and selects(one.clusters, member.cluster)
    }
    asked: dict[str, str] = {}
    for namespace in _namespaces(manifest, default):
        revision = said.get(namespace, cluster.revision)
        asked.setdefault(cluster.revision_tags.get(revision, revision), namespace)
    if len(asked) > 1:
        told = " and ".join(f"{revision} ({namespace})" for revision, namespace in sorted(asked.items()))
        raise UsageError(
            f"these workloads belong to namespaces of several revisions: {plain(told)}",
            "split the file by revision, because each control plane has its own template",
        )
    (revision,) = asked or (cluster.revision,)
    return cluster.plane(revision) or cluster


def _namespaces(manifest: bytes, default: str | None) -> Iterator[str]:
    """The namespaces of objects with pods; none for an invalid manifest, which istioctl refuses."""
    for document in read(manifest, "")[0]:
        items = as_list(at(document.data, "items")) or (document.data,)
        for body in items:
            if isinstance(body, dict) and any(True for _ in pods_in(body)):
                namespace = at(body, "metadata", "namespace") or default
                yield str(namespace or "default")


def _holder(plan: Plan, cluster: ClusterPlan) -> str:
    """The cluster whose ConfigMaps have the injection template: for classic Istio the cluster itself, for istiod its
    primary."""
    if plan.generation.injects_in_remotes and cluster.role == "remote":
        return cluster.name
    name = cluster.name
    holder = cluster.attachment.primary if cluster.attachment else name
    if not any(one.chart in ("istio", "istiod") for one in plan.cluster(holder).charts):
        raise MeshcError(
            f"{name}: the injection template comes with the chart of primary {holder}, and mesh.yaml names none",
            "set istio.charts, or run istioctl kube-inject with that cluster's own ConfigMaps",
        )
    return holder

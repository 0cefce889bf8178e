"""Checks labels and annotations of namespaces in mesh.yaml: none that others own, and none that blocks sidecars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes
from meshc.kube import at
from meshc.mesh.charts import wanted
from meshc.mesh.selecting import selects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from meshc.errors import Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.source import Source

_DATAPLANE = "meshc sets it from dataplane and revision"
_OF_NETWORK = "meshc sets it from networks, only on the Istio namespace"
_ENGINE = "meshc sets it from delivery"
_OWNED: Mapping[str, str] = {
    "istio-injection": _DATAPLANE,
    "istio.io/rev": _DATAPLANE,
    "istio.io/dataplane-mode": _DATAPLANE,
    "topology.istio.io/network": _OF_NETWORK,
    "topology.istio.io/controlPlaneClusters": "meshc sets it from clusters[].primary",
    "kubernetes.io/metadata.name": "Kubernetes sets it",
    "app.kubernetes.io/managed-by": "it shows that meshc owns the object",
    "app.kubernetes.io/instance": "Argo CD uses it to find its objects",
    "kubectl.kubernetes.io/last-applied-configuration": "kubectl sets it",
}
"""Keys that mesh.yaml can't set, each with the reason."""
_SAID: Mapping[tuple[str, str], str] = {
    ("istio-injection", "enabled"): "dataplane: sidecar",
    ("istio-injection", "disabled"): "dataplane: none",
    ("istio.io/dataplane-mode", "ambient"): "dataplane: ambient",
    ("istio.io/dataplane-mode", "none"): "dataplane: none",
}
"""Labels of the dataplane, each with the setting of mesh.yaml to use instead."""
_PREFIXES: Mapping[str, str] = {
    "argocd.argoproj.io/": _ENGINE,
    "kustomize.toolkit.fluxcd.io/": _ENGINE,
    "helm.toolkit.fluxcd.io/": _ENGINE,
    "helm.sh/": "Helm runs objects with it as hooks",
    "meta.helm.sh/": "Helm uses it to find its objects",
    "config.kubernetes.io/": "it is an instruction for kustomize",
    "internal.config.kubernetes.io/": "it is an instruction for kustomize",
    "meshc/": "meshc uses it for its own notes",
}
_LEVEL = "pod-security.kubernetes.io/enforce"
_MOST = 256 << 10


def owned(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """No key belongs to meshc, Kubernetes or a GitOps engine, and unmanaged namespaces have no keys."""
    for number, namespace in enumerate(fleet.mesh.spec.namespaces):
        for where, words in (("labels", namespace.labels), ("annotations", namespace.annotations)):
            path = ("spec", "namespaces", number, where)
            if words and not namespace.managed:
                what = f"namespace {namespace.name}: it has managed: false, so meshc doesn't write these {where}"
                hint = f"remove {where}, or remove managed: false"
                yield source.problem(codes.OWNED_LABEL, path, what, hint, key=True)
                continue
            for key in words:
                if why := _owner(key):
                    what = f"namespace {namespace.name}: {key} can't be set here: {why}"
                    hint = f"write {said} instead" if (said := _SAID.get((key, words[key]))) else "remove it"
                    if key == "istio.io/rev":
                        hint = f"write revision: {words[key]} instead"
                    yield source.problem(codes.OWNED_LABEL, (*path, key), what, hint, key=True)
            if where == "annotations" and sum(len(key) + len(text.encode()) for key, text in words.items()) > _MOST:
                what = f"namespace {namespace.name}: its annotations are larger than 256 KiB"
                yield source.problem(codes.OWNED_LABEL, path, what, "remove some", key=True)


def _owner(key: str) -> str:
    return _OWNED.get(key) or next((why for prefix, why in _PREFIXES.items() if key.startswith(prefix)), "")


def pod_security(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Sidecars need Pod Security level privileged for istio-init, which changes network rules, or the CNI agent."""
    for number, namespace in enumerate(fleet.mesh.spec.namespaces):
        level = namespace.labels.get(_LEVEL)
        if namespace.dataplane != "sidecar" or level not in ("baseline", "restricted"):
            continue
        members = [one for one in fleet if one not in fleet.external and selects(namespace.clusters, one.cluster)]
        if names := tuple(one.name for one in members if not _has_cni(fleet, one)):
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            what = f"namespace {namespace.name}: level {level} refuses every pod with a sidecar in {shown}: "
            what += "the container istio-init needs NET_ADMIN"
            hint = (
                "add chart cni (istio.charts.also), or write privileged; acknowledge it if the CNI agent is installed"
            )
            path = ("spec", "namespaces", number, "labels", _LEVEL)
            yield source.problem(codes.POD_SECURITY, path, what, hint, clusters=names)


def _has_cni(fleet: Fleet, member: Member) -> bool:
    """True if mesh.yaml has Istio's CNI agent: its chart for this cluster, or values that turn istio-init off."""
    if any(one.chart == "cni" for one in wanted(fleet, member)):
        return True
    primary = fleet.primary_of(member) if member.cluster.role == "remote" else member
    values = (fleet.mesh.spec.istio.values, *((primary.cluster.istio.values,) if primary else ()))
    paths = (("pilot", "cni", "enabled"), ("cni", "enabled"), ("istio_cni", "enabled"))
    return any(str(at(one, *path)).lower() == "true" for one in values for path in paths)

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

_DATAPLANE = "dataplane and revision decide it"
_OF_NETWORK = "networks decides it, of the Istio namespace alone"
_ENGINE = "delivery decides it"
_OWNED: Mapping[str, str] = {
    "istio-injection": _DATAPLANE,
    "istio.io/rev": _DATAPLANE,
    "istio.io/dataplane-mode": _DATAPLANE,
    "topology.istio.io/network": _OF_NETWORK,
    "topology.istio.io/controlPlaneClusters": "clusters[].primary decides it",
    "kubernetes.io/metadata.name": "Kubernetes writes it",
    "app.kubernetes.io/managed-by": "it tells whose the object is: meshc's",
    "app.kubernetes.io/instance": "Argo CD knows its objects by it",
    "kubectl.kubernetes.io/last-applied-configuration": "kubectl writes it",
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
    "helm.sh/": "helm runs what carries it as a hook",
    "meta.helm.sh/": "helm knows its objects by it",
    "config.kubernetes.io/": "kustomize takes it for its own",
    "internal.config.kubernetes.io/": "kustomize takes it for its own",
    "meshc/": "meshc notes facts under it",
}
_LEVEL = "pod-security.kubernetes.io/enforce"
_MOST = 256 << 10


def owned(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """No key belongs to meshc, Kubernetes or a GitOps engine, and unmanaged namespaces have no keys."""
    for number, namespace in enumerate(fleet.mesh.spec.namespaces):
        for where, words in (("labels", namespace.labels), ("annotations", namespace.annotations)):
            path = ("spec", "namespaces", number, where)
            if words and not namespace.managed:
                what = f"namespace {namespace.name}: others make it, so these {where} are written nowhere"
                hint = f"take {where} out, or managed: false"
                yield source.problem(codes.OWNED_LABEL, path, what, hint, key=True)
                continue
            for key in words:
                if why := _owner(key):
                    what = f"namespace {namespace.name}: {key} can't be set here: {why}"
                    hint = f"write {said} in its place" if (said := _SAID.get((key, words[key]))) else "take it out"
                    if key == "istio.io/rev":
                        hint = f"write revision: {words[key]} in its place"
                    yield source.problem(codes.OWNED_LABEL, (*path, key), what, hint, key=True)
            if where == "annotations" and sum(len(key) + len(text.encode()) for key, text in words.items()) > _MOST:
                what = f"namespace {namespace.name}: its annotations are larger than 256 KiB"
                yield source.problem(codes.OWNED_LABEL, path, what, "take some out", key=True)


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
            what += "its container istio-init asks for NET_ADMIN"
            hint = "add chart cni (istio.charts.also), or write privileged; acknowledge it where the CNI agent is there"
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

"""presence turns objects that something else must come before, or beside, into what is missing: Namespaces and CRDs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.applied.view import Fault
from meshc.kube import at

if TYPE_CHECKING:
    from meshc.applied.view import Touched, View

_ALWAYS = {"default", "kube-system", "kube-public", "kube-node-lease"}
_WAVE = "argocd.argoproj.io/sync-wave"
_BUILT_IN = (
    *("", "apps", "batch", "autoscaling", "policy", "extensions", "events.k8s.io", "internal.apiserver.k8s.io"),
)
_OF_ISTIO = (".istio.io",)
_ISTIOS_BASE = ("base", "istio", "istio-remote")


def namespaces_of(view: View, one: Touched) -> Iterator[Fault]:
    """The Namespace of an object is there: meshc makes it, the user does, or mesh.yaml says that others do."""
    namespace = one.identity.namespace
    if not namespace or (one.before is not None and one.patched) or namespace in _known(view):
        return
    what = f"is in namespace {namespace}, which nothing makes here"
    hint = f"add {{name: {namespace}, dataplane: none}} under namespaces, with managed: false where others make it"
    yield Fault(("metadata", "namespace"), what, hint, codes.NAMESPACE_MISSING)


def _known(view: View) -> set[str]:
    planned = {namespace.name for namespace in view.cluster.namespaces}
    return {*_ALWAYS, view.plan.istio_namespace, *planned, *view.cluster.unmanaged, *view.namespaces}


def definitions(view: View, one: Touched) -> Iterator[Fault]:
    """The CRD of a custom resource is there first. Istio's own come with its charts, wherever those are installed."""
    group, kind = one.identity.group, one.identity.kind
    if not is_custom(group) or one.before is not None:
        return
    found = view.definitions.get((group, kind))
    if found and _wave(found) > _wave(one.after):
        what = f"has sync-wave {_wave(one.after)}, and its CRD {_wave(found)}: Argo CD applies the lower one first"
        path = ("metadata", "annotations", _WAVE)
        yield Fault(path, what, f"give the CRD a wave of at most {_wave(one.after)}", codes.CRD_MISSING)
    if found or _comes_with_istio(view, group) or group == _OPERATORS.get(view.cluster.sealing.backend):
        return
    what = f"is of a kind whose CRD ({kind}, {group}) nothing here brings"
    hint = "install it first, then acknowledge this; or add the CRD to resources"
    yield Fault(("kind",), what, hint, codes.CRD_MISSING)


_OPERATORS = {"sealed-secrets": "bitnami.com", "external-secrets": "external-secrets.io"}
"""Groups that meshc's own objects are of, where it seals so."""


def is_custom(group: str) -> bool:
    """True for a group that Kubernetes itself doesn't have."""
    return group not in _BUILT_IN and not (group.endswith(".k8s.io") and group not in _OF_OTHERS)


_OF_OTHERS = (
    *("gateway.networking.k8s.io", "snapshot.storage.k8s.io", "cluster.x-k8s.io", "multicluster.x-k8s.io"),
    *("metrics.k8s.io", "custom.metrics.k8s.io", "autoscaling.k8s.io", "external-dns.k8s.io"),
)


def _comes_with_istio(view: View, group: str) -> bool:
    """Without charts, or in a cluster that only attaches to a control plane, Istio's CRDs are installed by others."""
    if not group.endswith(_OF_ISTIO):
        return False
    return not view.cluster.charts or any(one.chart in _ISTIOS_BASE for one in view.cluster.charts)


def _wave(body: Mapping[str, Any]) -> int:
    text = str(at(body, "metadata", "annotations", _WAVE) or "0")
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 10 else 0

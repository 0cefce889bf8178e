"""Checks that an object's Namespace and CRD exist when it is applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.checks.applied.view import Fault
from meshc.kube import at
from meshc.sealing.registry import BACKENDS

if TYPE_CHECKING:
    from meshc.checks.applied.view import Touched, View

_WAVE = "argocd.argoproj.io/sync-wave"
_BUILT_IN = (
    *("", "apps", "batch", "autoscaling", "policy", "extensions", "events.k8s.io", "internal.apiserver.k8s.io"),
)
_OF_ISTIO = (".istio.io",)
_ISTIOS_BASE = ("base", "istio", "istio-remote")


def namespaces_of(view: View, one: Touched) -> Iterator[Fault]:
    """An object's Namespace exists: meshc makes it, a user's file does, or mesh.yaml says that somebody else does."""
    namespace = one.identity.namespace
    if not namespace or (one.before is not None and one.patched) or namespace in view.namespaces:
        return
    what = f"is in namespace {namespace}, but nothing makes that namespace in this cluster"
    hint = f"add {{name: {namespace}, dataplane: none}} under namespaces, and managed: false if someone else makes it"
    yield Fault(("metadata", "namespace"), what, hint, codes.NAMESPACE_MISSING)


def definitions(view: View, one: Touched) -> Iterator[Fault]:
    """A custom resource's CRD exists before it. Istio's CRDs come with Istio's charts, also if others install those."""
    group, kind = one.identity.group, one.identity.kind
    if one.before is not None or not is_custom(group):
        return
    found = view.definitions.get((group, kind))
    if found and _wave(found) > _wave(one.after):
        what = f"has sync-wave {_wave(one.after)}, but its CRD has {_wave(found)}: Argo CD applies the lower wave first"
        path = ("metadata", "annotations", _WAVE)
        yield Fault(path, what, f"give the CRD a sync-wave of at most {_wave(one.after)}", codes.CRD_MISSING)
    if found or _comes_with_istio(view, group) or group == BACKENDS[view.cluster.sealing.backend].OPERATOR:
        return
    what = f"needs a CRD ({kind}, {group}) that isn't in the output of this cluster"
    hint = "install the CRD first, then acknowledge this; or add the CRD to resources"
    if group.endswith(_OF_ISTIO) and (remote := _bare_remote(view)) and kind not in _READ_IN_REMOTES:
        what += ", and istiod doesn't read this kind in a remote"
        hint = f"move the object to the resources of its primary {remote}"
    yield Fault(("kind",), what, hint, codes.CRD_MISSING)


def is_custom(group: str) -> bool:
    """True for a group that Kubernetes itself doesn't have."""
    return group not in _BUILT_IN and not (group.endswith(".k8s.io") and group not in _OF_OTHERS)


_OF_OTHERS = (
    *("gateway.networking.k8s.io", "snapshot.storage.k8s.io", "cluster.x-k8s.io", "multicluster.x-k8s.io"),
    *("metrics.k8s.io", "custom.metrics.k8s.io", "autoscaling.k8s.io", "external-dns.k8s.io"),
)


def _comes_with_istio(view: View, group: str) -> bool:
    """True for Istio's CRDs in a cluster where Istio's charts install them, rendered by meshc or by someone else."""
    if not group.endswith(_OF_ISTIO) or _bare_remote(view):
        return False
    return not view.cluster.charts or any(one.chart in _ISTIOS_BASE for one in view.cluster.charts)


_READ_IN_REMOTES = ("WorkloadEntry",)


def _bare_remote(view: View) -> str:
    """The primary of a remote that has no charts, and thus no CRDs of Istio; empty for every other cluster."""
    cluster = view.cluster
    return cluster.attachment.primary if cluster.attachment and not (cluster.charts or cluster.holds_config) else ""


def _wave(body: Mapping[str, Any]) -> int:
    text = str(at(body, "metadata", "annotations", _WAVE) or "0")
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 10 else 0

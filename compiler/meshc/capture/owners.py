"""Finds the tool that applies a live object, because that tool would keep writing it, or could delete it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from meshc.components.contract import OURS
from meshc.kube import as_list, at

if TYPE_CHECKING:
    from meshc.kube import Body


class Tool(StrEnum):
    """Tools that apply objects, named like the sections of docs/hand-over.md."""

    HELM = "Helm"
    FLUX_HELM = "Flux HelmRelease"
    FLUX = "Flux Kustomization"
    ARGO_CD = "Argo CD"
    OPERATOR = "IstioOperator"
    SAIL = "Sail"


class Owner(NamedTuple):
    """A tool, and the object of that tool that applies this one."""

    tool: Tool
    name: str

    def __str__(self) -> str:
        return f"{self.tool} {self.name}".rstrip()


MANAGERS = {
    "helm": Tool.HELM,
    "helm-controller": Tool.FLUX_HELM,
    "kustomize-controller": Tool.FLUX,
    "argocd-controller": Tool.ARGO_CD,
    "istio-operator": Tool.OPERATOR,
    "sail-operator": Tool.SAIL,
}
"""The field managers of tools (server-side apply, and updates)."""


def owner_of(body: Body) -> Owner | None:
    """The owner of an object, from marks that tools leave on it; None without an owner, and for meshc's own objects."""
    labels, notes = at(body, "metadata", "labels") or {}, at(body, "metadata", "annotations") or {}
    if labels.items() >= OURS.items():
        return None
    return (
        _of_operators(body, labels)
        or _of_flux(labels)
        or _of_argo_cd(labels, notes)
        or _of_helm(notes)
        or _of_fields(body)
    )


def _of_operators(body: Body, labels: Mapping[str, str]) -> Owner | None:
    for reference in as_list(at(body, "metadata", "ownerReferences")):
        if str(at(reference, "apiVersion")).startswith("sailoperator.io/"):
            return Owner(Tool.SAIL, f"{at(reference, 'kind')} {at(reference, 'name')}")
    if labels.get("app.kubernetes.io/managed-by") == "sail-operator":
        return Owner(Tool.SAIL, "")
    if not labels.get("operator.istio.io/managed"):
        return None
    named = labels.get("install.operator.istio.io/owning-resource", "unknown")
    return Owner(Tool.OPERATOR, "of istioctl install" if named == "unknown" else named)


def _of_flux(labels: Mapping[str, str]) -> Owner | None:
    for tool, domain in ((Tool.FLUX_HELM, "helm.toolkit.fluxcd.io"), (Tool.FLUX, "kustomize.toolkit.fluxcd.io")):
        if name := labels.get(f"{domain}/name"):
            return Owner(tool, f"{labels.get(f'{domain}/namespace', 'flux-system')}/{name}")
    return None


def _of_argo_cd(labels: Mapping[str, str], notes: Mapping[str, str]) -> Owner | None:
    name = str(notes.get("argocd.argoproj.io/tracking-id") or "").partition(":")[0]
    name = name or str(labels.get("argocd.argoproj.io/instance") or "")
    return Owner(Tool.ARGO_CD, name) if name else None


def _of_helm(notes: Mapping[str, str]) -> Owner | None:
    """An owner if `helm install` wrote its annotations. Objects from `helm template` have only Helm's label, and no
    owner."""
    name = notes.get("meta.helm.sh/release-name")
    return Owner(Tool.HELM, f"{notes.get('meta.helm.sh/release-namespace', 'default')}/{name}") if name else None


def _of_fields(body: Body) -> Owner | None:
    managers = {str(at(one, "manager")) for one in as_list(at(body, "metadata", "managedFields"))}
    return next((Owner(tool, "") for manager, tool in MANAGERS.items() if manager in managers), None)

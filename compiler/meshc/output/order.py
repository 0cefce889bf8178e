"""Computes the position of an object in kustomize's output: the default order, "legacy".

Measured on kustomize 5.5 to 5.8 (sigs.k8s.io/kustomize, api/internal/builtins/SortOrderTransformer.go has the lists).
"""

from __future__ import annotations

_FIRST = (
    *("Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount", "PodSecurityPolicy"),
    *("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "Endpoints", "Service"),
    *("LimitRange", "PriorityClass", "PersistentVolume", "PersistentVolumeClaim", "Deployment", "StatefulSet"),
    *("CronJob", "PodDisruptionBudget"),
)
_LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_RANKS = {kind: number - len(_FIRST) for number, kind in enumerate(_FIRST)}
_RANKS |= {kind: number for number, kind in enumerate(_LAST, 1)}

Place = tuple[int, str, str]
"""A sort key."""


def place_of(api_version: str, kind: str, namespace: str, name: str) -> Place:
    """The sort key of an object: by the order of kinds, then by group, version and kind, then by namespace and name.

    Missing parts count as `~G` and `~X`. The bar between namespace and name is part of the compared text.
    """
    group, _, version = api_version.rpartition("/")
    return (_RANKS.get(kind, 0), f"{group or '~G'}_{version}_{kind}", f"{namespace or '~X'}|{name}")

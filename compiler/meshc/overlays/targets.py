"""Decides whether kustomize matches an object by the target of a patch.

kustomize compiles each field with Go's regexp, as `^(?:FIELD)$` (api/types/selector.go). This module uses RE2, because
Go's regexp is modelled on it. RE2's time is proportional to the text's length, for any pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from meshc.kube import Body, Identity, identity_of
from meshc.overlays.selectors import Requirement, parse_selector

_FIELDS = ("group", "version", "kind", "name", "namespace")
_SPECIAL = frozenset("\\.+*?()|[]{}^$")
_MEMORY = 64 << 20
"""The most bytes for one pattern. With RE2's smaller default, RE2 would refuse patterns that Go accepts."""
_GROUPS = 200
"""The most groups of a pattern. Go refuses deeply nested patterns, but RE2 doesn't; 200 groups are below Go's limit."""
_NOT_IN_GO = re.compile(
    r"\\Q(?s:.)*?(?:\\E|\Z)|(?P<byte>\\C)|(?P<group>\(\?P?<(?![A-Za-z0-9_]++>))|\\(?s:.)",
)
"""Syntax that RE2 accepts and Go refuses: `\\C` for one byte, and group names with letters other than ASCII."""


@dataclass(frozen=True, slots=True)
class Target:
    """A target that is parsed once, to match many objects."""

    fields: Mapping[str, Callable[[str], bool]]
    labels: tuple[Requirement, ...]
    annotations: tuple[Requirement, ...]

    def names(self, body: Body, identity: Identity | None = None) -> bool:
        """True if the target's patterns match an object. Without `identity`, the identity is read from the object."""
        known = identity or identity_of(body)
        return all(fits(_FACTS[field](known, body)) for field, fits in self.fields.items())


def read_target(target: Mapping[str, str]) -> Target:
    """Parses a target. Raises ValueError with the field and the reason if kustomize can't parse the target."""
    return Target(
        {field: _read(field, _pattern, target[field]) for field in _FIELDS if target.get(field)},
        _read("labelSelector", parse_selector, target.get("labelSelector") or ""),
        _read("annotationSelector", parse_selector, target.get("annotationSelector") or ""),
    )


def _read(field: str, reader: Callable[[str], Any], text: str) -> Any:
    try:
        return reader(text)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from None


@lru_cache(maxsize=256)  # every cluster with a patch parses its target
def _pattern(text: str) -> Callable[[str], bool]:
    if _SPECIAL.isdisjoint(text):
        return text.__eq__
    if text.count("(") > _GROUPS:
        raise ValueError(f"a pattern can have at most {_GROUPS} groups")
    for found in _NOT_IN_GO.finditer(text):
        if found.lastgroup:
            raise ValueError(f"Go's regular expressions don't support {found[0][:80]}")
    try:
        import re2  # imported late: only needed here, and few targets are patterns
    except ImportError:
        raise ValueError("regular expressions need google-re2, which isn't installed; write names in full") from None
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        pattern = re2.compile(f"^(?:{text})$", options)
    except re2.error as error:
        said = error.args[0]
        told = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise ValueError(told[:200]) from None
    return lru_cache(maxsize=1 << 12)(lambda value: pattern.search(value) is not None)


def _version(body: Body) -> str:
    return str(body.get("apiVersion", "")).rpartition("/")[2]


_FACTS: Mapping[str, Callable[[Identity, Body], str]] = {
    "group": lambda identity, _: identity.group,
    "version": lambda _, body: _version(body),
    "kind": lambda identity, _: identity.kind,
    "name": lambda identity, _: identity.name,
    "namespace": lambda identity, body: effective_namespace(identity, _version(body)),
}


def effective_namespace(identity: Identity, version: str) -> str:
    """The namespace that kustomize compares; for kinds that it knows as cluster-scoped, a special name."""
    if (identity.group, version, identity.kind) in _CLUSTER_SCOPED:
        return "_non_namespaceable_"
    return identity.namespace or "default"


# The kinds that kustomize knows as cluster-scoped (kyaml/openapi/openapi.go, precomputedIsNamespaceScoped). It treats
# every other kind as namespaced, also those of CRDs.
_CLUSTER_SCOPED = frozenset(
    (group, version, kind)
    for group, versions, kinds in (
        ("", "v1", "ComponentStatus Namespace Node NodeProxyOptions PersistentVolume"),
        ("admissionregistration.k8s.io", "v1 v1beta1", "MutatingWebhookConfiguration ValidatingWebhookConfiguration"),
        ("apiextensions.k8s.io", "v1 v1beta1", "CustomResourceDefinition"),
        ("apiregistration.k8s.io", "v1 v1beta1", "APIService"),
        ("certificates.k8s.io", "v1 v1beta1", "CertificateSigningRequest"),
        ("flowcontrol.apiserver.k8s.io", "v1beta1", "FlowSchema PriorityLevelConfiguration"),
        ("networking.k8s.io", "v1 v1beta1", "IngressClass"),
        ("node.k8s.io", "v1 v1beta1", "RuntimeClass"),
        ("policy", "v1beta1", "PodSecurityPolicy"),
        ("rbac.authorization.k8s.io", "v1 v1beta1", "ClusterRole ClusterRoleBinding"),
        ("scheduling.k8s.io", "v1 v1beta1", "PriorityClass"),
        ("storage.k8s.io", "v1 v1beta1", "CSIDriver CSINode StorageClass VolumeAttachment"),
    )
    for version in versions.split()
    for kind in kinds.split()
)
CLUSTER_SCOPED = frozenset((group, kind) for group, _, kind in _CLUSTER_SCOPED)

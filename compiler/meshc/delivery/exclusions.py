"""Computes a value of Argo CD's `resource.exclusions` with which it applies the kinds that a mesh needs.

Argo CD 3.0 and later has a default list of kinds that it neither applies nor watches, among them Endpoints and
EndpointSlice.
"""

from __future__ import annotations

from collections.abc import Collection

from meshc.tree import HEADER

LEFT_OUT = ("Endpoints", "EndpointSlice")

_OTHERS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("coordination.k8s.io",), ("Lease",)),
    (
        ("authentication.k8s.io", "authorization.k8s.io"),
        (
            "SelfSubjectReview",
            "TokenReview",
            "LocalSubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
            "SubjectAccessReview",
        ),
    ),
    (("certificates.k8s.io",), ("CertificateSigningRequest",)),
    (("cert-manager.io",), ("CertificateRequest",)),
    (("cilium.io",), ("CiliumIdentity", "CiliumEndpoint", "CiliumEndpointSlice")),
    (
        ("kyverno.io", "reports.kyverno.io", "wgpolicyk8s.io"),
        (
            "PolicyReport",
            "ClusterPolicyReport",
            "EphemeralReport",
            "ClusterEphemeralReport",
            "AdmissionReport",
            "ClusterAdmissionReport",
            "BackgroundScanReport",
            "ClusterBackgroundScanReport",
            "UpdateRequest",
        ),
    ),
)
"""The other kinds that Argo CD 3.0 leaves out. If a later version adds a kind, this list doesn't have it, and Argo CD
only watches more objects."""


def entry(kinds: Collection[str]) -> str:
    """The list's entry about endpoints without `kinds`, on one line; empty if the entry isn't needed any more."""
    left = [kind for kind in LEFT_OUT if kind not in kinds]
    return _entry(("", "discovery.k8s.io"), left) if left else ""


def patch(kinds: Collection[str], namespace: str) -> bytes:
    """A patch of argocd-cm with Argo CD's default list, without `kinds`. Returned as text, not as an object, so that no
    engine applies it."""
    lines = [
        f"# Argo CD leaves out {' and '.join(kinds)} by default, which clusters of this mesh need. To change that:",
        f"#   kubectl patch configmap argocd-cm --namespace {namespace} --patch-file resource-exclusions.txt",
        "# The list becomes that of Argo CD 3.0 without them. If yours was changed, edit it by hand instead.",
        "data:",
        "  resource.exclusions: |",
    ]
    entries = [entry(kinds), *(_entry(groups, others) for groups, others in _OTHERS)]
    lines += [f"    - {one}" for one in entries if one]
    return HEADER + "\n".join([*lines, ""]).encode()


def _entry(groups: Collection[str], kinds: Collection[str]) -> str:
    named = ", ".join(group or '""' for group in groups)
    return f"{{apiGroups: [{named}], kinds: [{', '.join(kinds)}]}}"

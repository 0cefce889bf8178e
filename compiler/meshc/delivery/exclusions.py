"""Works out the value of Argo CD's `resource.exclusions` that lets it apply the kinds that a mesh needs.

Argo CD from 3.0 on comes with a list of kinds that it neither applies nor watches; Endpoints and EndpointSlice are two.
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
"""What Argo CD 3.0 leaves out besides. An entry that a later version adds is missed by nobody but its cache."""


def entry(kinds: Collection[str]) -> str:
    """The list's entry about endpoints once `kinds` are applied, on one line; empty if it goes altogether."""
    left = [kind for kind in LEFT_OUT if kind not in kinds]
    return _entry(("", "discovery.k8s.io"), left) if left else ""


def patch(kinds: Collection[str], namespace: str) -> bytes:
    """A patch of argocd-cm with the list as Argo CD comes with it, less `kinds`. A text: no engine may take it."""
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

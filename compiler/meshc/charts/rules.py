"""Changes what a chart prints into what may be committed. Each rule names its charts and its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.kube import Body, Version, identity_of
from meshc.mesh.chart_files import digest_of

if TYPE_CHECKING:
    from meshc.plan.needs import ChartNeed

EVERY = ("istio", "istio-remote", "base", "istiod", "cni", "ztunnel", "gateway")
CLASSIC = ("istio", "istio-remote")


_OLDEST, _NEVER = Version(1, 0, 0), Version(2, 0, 0)


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that is done to charts of some names and versions (`first` to before `end`), and why."""

    name: str
    charts: tuple[str, ...]
    why: str
    first: Version = _OLDEST
    end: Version = _NEVER

    def covers(self, need: ChartNeed) -> bool:
        """Whether the rule is for this chart in this version."""
        return need.chart in self.charts and self.first <= need.version < self.end


SCHEMA = Rule(
    "schema skipped",
    ("gateway",),
    "its schema refuses the chart's own defaults",
    Version(1, 24, 0),
    Version(1, 25, 0),
)
DUPLICATES = Rule(
    "duplicate keys",
    ("istio",),
    "the Deployments of Mixer name ports twice, which kustomize refuses; the last one counts, as it does for kubectl",
    end=Version(1, 1, 0),
)
CRDS = Rule(
    "CRDs kept",
    ("istio",),
    "they are hooks of a kind (crd-install) that helm 3 and 4 leave out",
    end=Version(1, 1, 0),
)
CONDITION = Rule(
    "condition put right",
    ("istio",),
    "a template asks `(one) or (other)`, at which helm 3 and 4 stop; later versions ask `or (one) (other)`",
    end=Version(1, 0, 2),
)
"""What is done before a chart is rendered, and (DUPLICATES) while it is read."""

_CRD_INSTALL = re.compile(rb"(?m)^[ \t]*[\"']?helm\.sh/hook(-weight)?[\"']?:.*\n")
_ONE_OR_OTHER = re.compile(rb"\{\{- if (\([^()]*\)) or (\([^()]*\)) \}\}")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A chart as helm is to see it, and the digest of its files."""

    files: Mapping[str, bytes]
    digest: str


def prepare(files: Mapping[str, bytes], need: ChartNeed) -> Prepared:
    """What the rules make of a chart before it is rendered."""
    edited = dict(files)
    if SCHEMA.covers(need):
        edited.pop("values.schema.json", None)
    if CRDS.covers(need):
        edited |= {path: _CRD_INSTALL.sub(b"", data) for path, data in files.items() if "/crds" in path}
    if CONDITION.covers(need):
        edited |= {path: _ONE_OR_OTHER.sub(rb"{{- if or \1 \2 }}", data) for path, data in edited.items()}
    return Prepared(edited, need.digest if edited == files else digest_of(edited))


def cleaned(bodies: Iterable[Body], need: ChartNeed) -> list[Body]:
    """The objects of a chart as every rule leaves them, CRDs first."""
    found = list(bodies)
    for rule, apply in RULES:
        if rule.covers(need):
            found = [after for before in found for after in apply(before, need)]
    return sorted(found, key=lambda body: body.get("kind") != "CustomResourceDefinition")


def _flattened(body: Body, need: ChartNeed) -> Iterator[Body]:
    if body.get("kind") == "List" and isinstance(body.get("items"), list):
        for item in body["items"]:
            yield from _flattened(item, need)
    else:
        yield body


def _unhooked(body: Body, need: ChartNeed) -> Iterator[Body]:
    del need
    if "helm.sh/hook" not in (_metadata(body).get("annotations") or {}):
        yield body


def _without_policies(body: Body, need: ChartNeed) -> Iterator[Body]:
    del need
    if body.get("kind") not in ("MeshPolicy", "DestinationRule"):
        yield body


def _without_scripts(body: Body, need: ChartNeed) -> Iterator[Body]:
    del need
    if not identity_of(body).name.startswith(("istio-security-custom-resources", "istio-security-post-install")):
        yield body


CLUSTER_SCOPED = frozenset(
    (
        *("APIService", "CertificateSigningRequest", "ClusterIssuer", "ClusterRbacConfig", "ClusterRole"),
        *("ClusterRoleBinding", "ClusterTrustBundle", "CSIDriver", "CustomResourceDefinition", "GatewayClass"),
        *("IngressClass", "MeshPolicy", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"),
        *("MutatingWebhookConfiguration", "Namespace", "PersistentVolume", "PodSecurityPolicy", "PriorityClass"),
        *("RuntimeClass", "StorageClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
        "ValidatingWebhookConfiguration",
    )
)
"""Kinds that have no namespace; any other is taken to have one."""


def _housed(body: Body, need: ChartNeed) -> Iterator[Body]:
    metadata = {key: value for key, value in _metadata(body).items() if key != "namespace" and value is not None}
    if body.get("kind") not in CLUSTER_SCOPED:
        metadata["namespace"] = _metadata(body).get("namespace") or need.namespace
    yield {**body, "metadata": metadata}


_GROUPS = {
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRole"): "rbac.authorization.k8s.io/v1",
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding"): "rbac.authorization.k8s.io/v1",
    ("rbac.authorization.k8s.io/v1beta1", "Role"): "rbac.authorization.k8s.io/v1",
    ("rbac.authorization.k8s.io/v1beta1", "RoleBinding"): "rbac.authorization.k8s.io/v1",
    ("extensions/v1beta1", "Deployment"): "apps/v1",
    ("extensions/v1beta1", "DaemonSet"): "apps/v1",
}


def _current(body: Body, need: ChartNeed) -> Iterator[Body]:
    del need
    newer = _GROUPS.get((str(body.get("apiVersion")), str(body.get("kind"))), body.get("apiVersion"))
    spec: Mapping[str, Any] = body.get("spec") or {}
    if body.get("kind") == "HorizontalPodAutoscaler":
        yield {**body, "spec": {**spec, "scaleTargetRef": {**spec["scaleTargetRef"], "apiVersion": "apps/v1"}}}
    elif newer == "apps/v1":
        labels = _metadata(spec.get("template") or {}).get("labels") or {}
        yield {**body, "apiVersion": newer, "spec": {"selector": {"matchLabels": dict(labels)}, **spec}}
    else:
        yield {**body, "apiVersion": newer}


_CA_BUNDLE_OPTIONAL = Version(1, 13)


def _unbundled(body: Body, need: ChartNeed) -> Iterator[Body]:
    webhooks = body.get("webhooks")
    if need.kubernetes < _CA_BUNDLE_OPTIONAL or not isinstance(webhooks, list):
        yield body
        return
    yield {**body, "webhooks": [_without_empty_bundle(webhook) for webhook in webhooks]}


def _without_empty_bundle(webhook: Mapping[str, Any]) -> Mapping[str, Any]:
    client: Mapping[str, Any] = webhook.get("clientConfig") or {}
    if client.get("caBundle", "something"):
        return webhook
    return {**webhook, "clientConfig": {key: value for key, value in client.items() if key != "caBundle"}}


def _closed(body: Body, need: ChartNeed) -> Iterator[Body]:
    base = need.values.get("base")
    policy = base.get("validationFailurePolicy") if isinstance(base, Mapping) else None
    if policy and body.get("kind") == "ValidatingWebhookConfiguration":
        body = {**body, "webhooks": [{**webhook, "failurePolicy": policy} for webhook in body["webhooks"]]}
    yield body


def _metadata(body: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = body.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


RULES: tuple[tuple[Rule, Callable[[Body, ChartNeed], Iterable[Body]]], ...] = (
    (Rule("lists flattened", EVERY, "kustomize's files and our checks know objects, not lists of them"), _flattened),
    (
        Rule(
            "hooks dropped",
            EVERY,
            "Flux would run a clean-up Job at once, which deletes every workload certificate; Argo CD doesn't know "
            "post-delete",
        ),
        _unhooked,
    ),
    (
        Rule(
            "policies of remotes dropped",
            ("istio-remote",),
            "pilot reads policies in its own cluster only, and the chart brings no CRDs for them",
            end=Version(1, 1, 0),
        ),
        _without_policies,
    ),
    (
        Rule(
            "policies made by a Job dropped",
            CLASSIC,
            "a hook applied what ConfigMap istio-security-custom-resources holds; meshc writes MeshPolicy and "
            "DestinationRules themselves",
            end=Version(1, 1, 0),
        ),
        _without_scripts,
    ),
    (
        Rule(
            "namespaces",
            EVERY,
            "helm puts objects that name none into the release's; cluster-scoped kinds (MeshPolicy, the webhook of "
            "1.0) have none",
        ),
        _housed,
    ),
    (
        Rule(
            "API versions",
            CLASSIC,
            "extensions/v1beta1 ends with Kubernetes 1.16 and rbac v1beta1 with 1.22; apps/v1 and rbac v1 exist from "
            "1.9. apps/v1 wants the selector that was made of the pod's labels; autoscalers name it too",
            end=Version(1, 1, 0),
        ),
        _current,
    ),
    (
        Rule(
            "empty caBundle dropped",
            EVERY,
            "Istio fills it in, and a GitOps engine would take it away again at every sync; Kubernetes before 1.13 "
            "wants it",
        ),
        _unbundled,
    ),
    (
        Rule(
            "failurePolicy of validation",
            ("base", "istiod"),
            "before 1.29.6 the charts don't read `base.validationFailurePolicy`; where it is set, the webhooks have it",
            Version(1, 24, 0),
            Version(1, 30, 0),
        ),
        _closed,
    ),
)
"""What is done to objects, in this order."""


def every_rule() -> tuple[Rule, ...]:
    """All rules, for the documents."""
    return (SCHEMA, CRDS, CONDITION, DUPLICATES, *(rule for rule, _ in RULES))

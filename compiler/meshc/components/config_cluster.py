"""What an external istiod finds in its config cluster, istiod 1.24 to 1.32: an account, its rights, its webhook.

It reads and writes here as if it ran here; Istio's CRDs, which are most of chart base, are the user's to install.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from meshc.components.contract import ISTIO, binding, rule, thing
from meshc.components.istiod import account_token, service_name
from meshc.kube import Version
from meshc.plan.values import PROXIES_ASK, config_map, validation_fails_closed
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import Attachment, ClusterPlan, Plan

_RBAC = "rbac.authorization.k8s.io"
_LABELS = {**ISTIO, "app": "istiod"}
_READ = ("get", "list", "watch")
_ALL = (*_READ, "create", "delete", "patch", "update")
_STATUS = ("patch", "update")
_GROUPS = tuple(
    f"{group}.istio.io"
    for group in ("config", "security", "networking", "authentication", "rbac", "telemetry", "extensions")
)
_ROUTES = (
    *("backendtlspolicies", "gatewayclasses", "gateways", "grpcroutes", "httproutes", "referencegrants"),
    *("tcproutes", "tlsroutes", "udproutes"),
)


def lower(plan: Plan, cluster: ClusterPlan, attachment: Attachment) -> Iterable[Body]:
    """The account `istiod` with its token and roles, the webhook of validation, the settings that istiod merges in."""
    namespace, name = plan.istio_namespace, service_name(cluster.revision)
    yield thing("v1", "ServiceAccount", name, namespace, labels=_LABELS)
    yield from token(plan, cluster)
    revision = name.removeprefix("istiod")
    for role, rules in (
        (f"istiod-clusterrole{revision}-{namespace}", _cluster_rules(cluster.istio)),
        (f"istiod-gateway-controller{revision}-{namespace}", _gateway_rules(cluster.istio)),
    ):
        yield thing(f"{_RBAC}/v1", "ClusterRole", role, labels=_LABELS, rules=list(rules))
        yield binding(role, name, namespace, role, _LABELS)
    yield thing(f"{_RBAC}/v1", "Role", name, namespace, labels=_LABELS, rules=list(_rules()))
    yield thing(
        f"{_RBAC}/v1",
        "RoleBinding",
        name,
        namespace,
        labels=_LABELS,
        roleRef={"apiGroup": _RBAC, "kind": "Role", "name": name},
        subjects=[{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    )
    yield _webhook(plan, cluster, attachment)
    labels = {**ISTIO, "istio.io/rev": cluster.revision}
    data = {"mesh": write(_mesh(plan)), "meshNetworks": "networks: {}"}
    yield thing("v1", "ConfigMap", config_map(cluster), namespace, labels=labels, data=data)


def token(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """The token that the external istiod's kubeconfig is made from; Kubernetes fills it in."""
    yield from account_token(plan, cluster, service_name(cluster.revision), "istiod")


def _cluster_rules(version: Version) -> Iterable[Mapping[str, list[str]]]:
    """What istiod does in all namespaces of the cluster whose configuration it reads."""
    yield rule(["admissionregistration.k8s.io"], ["mutatingwebhookconfigurations"], [*_READ, *_STATUS])
    yield rule(["admissionregistration.k8s.io"], ["validatingwebhookconfigurations"], [*_READ, "update"])
    yield rule(_GROUPS, ["*"], _READ)
    mine = ["workloadentries", "workloadentries/status", "serviceentries/status"]
    yield rule(["networking.istio.io"], mine, _ALL)
    yield rule(["security.istio.io"], ["authorizationpolicies/status"], _ALL)
    yield rule([""], ["services/status"], _ALL)
    yield rule(["apiextensions.k8s.io"], ["customresourcedefinitions"], _READ)
    yield rule([""], ["pods", "nodes", "services", "namespaces", "endpoints", "secrets"], _READ)
    yield rule([""], ["configmaps"], [*_READ, "create", "update"])
    yield rule(["discovery.k8s.io"], ["endpointslices"], _READ)
    yield rule(["networking.k8s.io"], ["ingresses", "ingressclasses"], _READ)
    yield rule(["networking.k8s.io"], ["ingresses/status"], ["*"])
    yield rule(["authentication.k8s.io"], ["tokenreviews"], ["create"])
    yield rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"])
    yield rule(["multicluster.x-k8s.io"], ["serviceexports"], [*_READ, "create", "delete"])
    yield rule(["multicluster.x-k8s.io"], ["serviceimports"], _READ)
    yield from _gateway_api_rules(version)


def _gateway_api_rules(version: Version) -> Iterable[Mapping[str, list[str]]]:
    """The kinds of the Gateway API moved from the experimental group to their own with Istio's versions."""
    own, tried = "gateway.networking.k8s.io", "gateway.networking.x-k8s.io"
    yield rule([own], ["*"], _READ)
    yield rule([own], [f"{route}/status" for route in _ROUTES], _STATUS)
    yield rule([own], ["gatewayclasses"], ["create", "update", "patch", "delete"])
    if version.line >= (1, 26):
        yield rule([tried], ["*"], _READ)
        yield rule([tried], ["xbackendtrafficpolicies/status"], _STATUS)
    if version.line >= (1, 30):
        yield rule([own], ["listenersets/status"], _STATUS)
    elif version.line >= (1, 27):
        yield rule([tried], ["xlistenersets/status"], _STATUS)
    if version.line >= (1, 27):
        group = "inference.networking.k8s.io" if version.line >= (1, 28) else "inference.networking.x-k8s.io"
        yield rule([group], ["inferencepools"], _READ)
        yield rule([group], ["inferencepools/status"], _STATUS)


def _gateway_rules(version: Version) -> Iterable[Mapping[str, list[str]]]:
    """What istiod makes for a Gateway of the Gateway API."""
    yield rule(["apps"], ["deployments"], _ALL)
    yield rule([""], ["services", "serviceaccounts"], _ALL)
    if version.line >= (1, 26):
        yield rule(["autoscaling"], ["horizontalpodautoscalers"], _ALL)
        yield rule(["policy"], ["poddisruptionbudgets"], _ALL)


def _rules() -> Iterable[Mapping[str, list[str]]]:
    """What istiod does in its own namespace: try its webhook, keep a self-signed CA, elect a leader."""
    yield rule(["networking.istio.io"], ["gateways"], ["create"])
    yield rule([""], ["secrets"], [*_READ, "create", "update", "delete"])
    yield rule([""], ["configmaps"], ["delete"])
    yield rule(["coordination.k8s.io"], ["leases"], ["get", "update", "patch", "create"])


def _mesh(plan: Plan) -> Mapping[str, Any]:
    """The settings that people of the mesh may change by a patch; istiod's own go before them."""
    proxies = {"discoveryAddress": f"istiod.{plan.istio_namespace}.svc:15012", "meshId": plan.mesh_id}
    asks = {"proxyMetadata": {PROXIES_ASK: "true"}} if plan.fast_root_rotation else {}
    return {
        "defaultConfig": {**proxies, **asks},
        "enablePrometheusMerge": True,
        "rootNamespace": plan.istio_namespace,
        "trustDomain": plan.trust_domain,
        **({"trustDomainAliases": list(plan.trust_domain_aliases)} if plan.trust_domain_aliases else {}),
    }


def _webhook(plan: Plan, cluster: ClusterPlan, attachment: Attachment) -> Body:
    """istiod turns failurePolicy to Fail once it answers, and fills in caBundle."""
    revision, namespace = service_name(cluster.revision).removeprefix("istiod"), plan.istio_namespace
    service = {"name": service_name(cluster.revision), "namespace": namespace, "path": "/validate"}
    url = attachment.injection_url
    groups = [f"{group}.istio.io" for group in ("security", "networking", "telemetry", "extensions")]
    selected = {"key": "istio.io/rev", "operator": "In", "values": [cluster.revision]}
    return thing(
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        f"istio-validator{revision}-{namespace}",
        labels={**_LABELS, "istio": "istiod", "istio.io/rev": cluster.revision},
        webhooks=[
            {
                "name": "rev.validation.istio.io",
                "admissionReviewVersions": ["v1"],
                "clientConfig": {"url": f"{url.rstrip('/')}/validate"} if url else {"service": service},
                "failurePolicy": "Fail" if validation_fails_closed(plan) else "Ignore",
                "objectSelector": {"matchExpressions": [selected]},
                "rules": [
                    {"apiGroups": groups, "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": ["*"]}
                ],
                "sideEffects": "None",
            }
        ],
    )

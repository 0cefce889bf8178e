"""The objects that an external istiod, 1.24 to 1.32, needs in its config cluster: an account, its rights, its webhook.

istiod reads and writes in the config cluster as if it ran there. The user installs Istio's CRDs, which are most of
chart base.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from meshc.components.contract import ISTIO, binding, thing
from meshc.components.injection import service_name
from meshc.components.istiod import account_token
from meshc.components.rights import CONFIG_CLUSTER, GATEWAYS, OWN_NAMESPACE, granted
from meshc.plan.istiod_values import PROXIES_ASK, config_map, validation_fails_closed
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.ways import Attachment

_RBAC = "rbac.authorization.k8s.io"
_LABELS = {**ISTIO, "app": "istiod"}


def lower(plan: Plan, cluster: ClusterPlan, attachment: Attachment) -> Iterable[Body]:
    """The account `istiod` with its token and roles, the validation webhook, and the settings that istiod merges."""
    namespace, name = plan.istio_namespace, service_name(cluster.revision)
    yield thing("v1", "ServiceAccount", name, namespace, labels=_LABELS)
    yield from token(plan, cluster)
    revision = name.removeprefix("istiod")
    for role, rules in (
        (f"istiod-clusterrole{revision}-{namespace}", CONFIG_CLUSTER),
        (f"istiod-gateway-controller{revision}-{namespace}", GATEWAYS),
    ):
        yield thing(f"{_RBAC}/v1", "ClusterRole", role, labels=_LABELS, rules=granted(rules, cluster.istio))
        yield binding(role, name, namespace, role, _LABELS)
    yield thing(f"{_RBAC}/v1", "Role", name, namespace, labels=_LABELS, rules=granted(OWN_NAMESPACE, cluster.istio))
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
    """The token Secret for the external istiod's kubeconfig; Kubernetes fills in the token."""
    yield from account_token(plan, cluster, service_name(cluster.revision), "istiod")


def _mesh(plan: Plan) -> Mapping[str, Any]:
    """The settings that users may change by a patch; the settings in istiod's own cluster override them."""
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
    """The validation webhook. istiod sets its failurePolicy to Fail when it starts to answer, and fills in caBundle."""
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

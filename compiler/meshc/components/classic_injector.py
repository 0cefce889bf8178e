"""Injection of classic Istio: the webhook, and the template for the webhook and `istioctl kube-inject`.

The webhook uses admissionregistration v1beta1, the only version that the injector of 1.0 supports. The injector fills
in caBundle. Since Kubernetes 1.13, caBundle is optional, so it is left out. Otherwise a GitOps engine would reset it to
an empty text at every sync.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from meshc.components.classic_template import template
from meshc.components.contract import ISTIO, binding, rule, thing
from meshc.kube import Version
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.ways import Attachment

CONFIG = "istio-sidecar-injector"
_ACCOUNT = "istio-sidecar-injector-service-account"
_LABELS: Mapping[str, str] = {**ISTIO, "app": "istio-sidecar-injector"}
_SELECTOR: Mapping[str, str] = {"istio": "sidecar-injector"}
_CA_BUNDLE_OPTIONAL = Version(1, 13)


def config_map(plan: Plan, cluster: ClusterPlan, attachment: Attachment) -> Body:
    """The ConfigMap istio-sidecar-injector. Manual injection needs it too, because kube-inject reads it."""
    text = template(cluster.images, cluster.istio, tracing="zipkin" in attachment.addresses)
    config = write({"policy": "enabled", "template": text})
    labels = {**_LABELS, **_SELECTOR}
    return thing("v1", "ConfigMap", CONFIG, plan.istio_namespace, labels=labels, data={"config": config})


def webhook(plan: Plan, cluster: ClusterPlan, pod: Mapping[str, Any]) -> Iterable[Body]:
    """The six objects of automatic injection. `pod` has the fields that all pods of classic Istio share."""
    namespace = plan.istio_namespace
    role = f"istio-sidecar-injector-{namespace}"
    account: dict[str, Any] = {}
    if cluster.images.pull_secrets:
        account["imagePullSecrets"] = [{"name": secret} for secret in cluster.images.pull_secrets]
    yield thing("v1", "ServiceAccount", _ACCOUNT, namespace, labels=_LABELS, **account)
    rules = [
        rule(["*"], ["configmaps"], ["get", "list", "watch"]),
        rule(["admissionregistration.k8s.io"], ["mutatingwebhookconfigurations"], ["get", "list", "watch", "patch"]),
    ]
    yield thing("rbac.authorization.k8s.io/v1", "ClusterRole", role, labels=_LABELS, rules=rules)
    yield binding(role, _ACCOUNT, namespace, f"istio-sidecar-injector-admin-role-binding-{namespace}", _LABELS)
    service = {"ports": [{"port": 443, "protocol": "TCP"}], "selector": dict(_SELECTOR)}
    yield thing("v1", "Service", "istio-sidecar-injector", namespace, labels={**_LABELS, **_SELECTOR}, spec=service)
    yield thing(
        "apps/v1",
        "Deployment",
        "istio-sidecar-injector",
        namespace,
        labels={**_LABELS, **_SELECTOR},
        spec={
            "replicas": 1,
            "selector": {"matchLabels": dict(_SELECTOR)},
            "template": {
                "metadata": {"labels": dict(_SELECTOR), "annotations": {"sidecar.istio.io/inject": "false"}},
                "spec": {"serviceAccountName": _ACCOUNT, **_pod(cluster), **pod},
            },
        },
    )
    yield _configuration(namespace, cluster.kubernetes)


def _pod(cluster: ClusterPlan) -> Mapping[str, Any]:
    probe = {
        "exec": {
            "command": ["/usr/local/bin/sidecar-injector", "probe", "--probe-path=/health", "--interval=4s"],
        },
        "initialDelaySeconds": 4,
        "periodSeconds": 4,
    }
    folders = {"config-volume": "config", "certs": "certs", "inject-config": "inject"}
    container = {
        "name": "sidecar-injector-webhook",
        "image": f"{cluster.images.hub}/sidecar_injector:{cluster.images.full_tag}",
        "imagePullPolicy": "IfNotPresent",
        "args": [
            "--caCertFile=/etc/istio/certs/root-cert.pem",
            "--tlsCertFile=/etc/istio/certs/cert-chain.pem",
            "--tlsKeyFile=/etc/istio/certs/key.pem",
            "--injectConfig=/etc/istio/inject/config",
            "--meshConfig=/etc/istio/config/mesh",
            "--healthCheckInterval=2s",
            "--healthCheckFile=/health",
        ],
        "volumeMounts": [
            {"name": name, "mountPath": f"/etc/istio/{folder}", "readOnly": True} for name, folder in folders.items()
        ],
        "livenessProbe": probe,
        "readinessProbe": probe,
        "resources": {"requests": {"cpu": "10m"}},
    }
    volumes = [
        {"name": "config-volume", "configMap": {"name": "istio"}},
        {"name": "certs", "secret": {"secretName": f"istio.{_ACCOUNT}"}},  # Citadel makes one for each account
        {"name": "inject-config", "configMap": {"name": CONFIG, "items": [{"key": "config", "path": "config"}]}},
    ]
    return {"containers": [container], "volumes": volumes}


def _configuration(namespace: str, kubernetes: Version) -> Body:
    client: dict[str, Any] = {
        "service": {"name": "istio-sidecar-injector", "namespace": namespace, "path": "/inject"},
        **({} if kubernetes >= _CA_BUNDLE_OPTIONAL else {"caBundle": ""}),
    }
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    hook = {
        "name": "sidecar-injector.istio.io",
        "clientConfig": client,
        "failurePolicy": "Fail",
        "namespaceSelector": {"matchLabels": {"istio-injection": "enabled"}},
        "rules": [pods],
    }
    return thing(
        "admissionregistration.k8s.io/v1beta1",
        "MutatingWebhookConfiguration",
        "istio-sidecar-injector",
        labels=_LABELS,
        webhooks=[hook],
    )

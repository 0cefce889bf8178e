"""The webhooks that inject sidecars, for a revision or a tag: the pods that they select, the istiod that they call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from meshc.mesh.revisions import DEFAULT
from meshc.plan.istiod_values import injection_path

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan

_INJECTED, _REV, _INJECT = "istio-injection", "istio.io/rev", "sidecar.istio.io/inject"


def service_name(revision: str) -> str:
    """The name of istiod's Service; the default revision has no suffix."""
    return "istiod" if revision == DEFAULT else f"istiod-{revision}"


def injector_of(plan: Plan, cluster: ClusterPlan) -> Mapping[str, Any]:
    """The address at which the API server of a cluster calls the istiod of its revision."""
    path = injection_path(cluster) if cluster.attachment else "/inject"
    if cluster.attachment and cluster.attachment.injection_url:
        return {"url": cluster.attachment.injection_url.rstrip("/") + path}
    name = service_name(cluster.revision)
    return {"service": {"name": name, "namespace": plan.istio_namespace, "path": path, "port": 443}}


def injectors(name: str, client_config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The webhooks for the pods of a revision or a tag. The name `default` also selects pods without revision."""
    not_refused = [_expression(_INJECT, "NotIn", "false")]
    selectors = {
        "rev.namespace": ([_expression(_REV, "In", name), _expression(_INJECTED, "DoesNotExist")], not_refused),
        "rev.object": (
            [_expression(_REV, "DoesNotExist"), _expression(_INJECTED, "DoesNotExist")],
            [*not_refused, _expression(_REV, "In", name)],
        ),
    }
    if name == DEFAULT:
        selectors |= {
            "namespace": ([_expression(_INJECTED, "In", "enabled")], not_refused),
            "object": (
                [_expression(_INJECTED, "DoesNotExist"), _expression(_REV, "DoesNotExist")],
                [_expression(_INJECT, "In", "true"), _expression(_REV, "DoesNotExist")],
            ),
        }
    return [
        {
            "name": f"{prefix}.sidecar-injector.istio.io",
            "admissionReviewVersions": ["v1"],
            "clientConfig": client_config,
            "failurePolicy": "Fail",
            "namespaceSelector": {"matchExpressions": namespaces},
            "objectSelector": {"matchExpressions": objects},
            "reinvocationPolicy": "Never",
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            "sideEffects": "None",
        }
        for prefix, (namespaces, objects) in selectors.items()
    ]


def _expression(key: str, operator: str, *values: str) -> Mapping[str, Any]:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}

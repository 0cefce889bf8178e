"""Revision tags: for each tag the webhook that injects its namespaces, and a Service where istiod reads configuration.

The objects are those of chart istiod's `revisionTags` (1.24 to 1.32). As they belong to no release, a tag moves from
one control plane to the next in one commit: between two Helm releases it would have to go before it could come.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from meshc.components.contract import ISTIO, thing
from meshc.components.injection import injector_of, injectors
from meshc.mesh.revisions import DEFAULT, FIRST_WITH_SERVICES_OF_TAGS

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """The objects of each tag."""
    for tag, revision in cluster.revision_tags.items():
        plane = cluster.plane(revision)
        if plane is None:  # a check has refused it
            continue
        labels = {**ISTIO, "istio.io/rev": revision, "istio.io/tag": tag}
        if cluster.injection == "automatic":
            suffix = "" if plan.istio_namespace == "istio-system" else f"-{plan.istio_namespace}"
            yield thing(
                "admissionregistration.k8s.io/v1",
                "MutatingWebhookConfiguration",
                f"istio-revision-tag-{tag}{suffix}",
                labels={**labels, "app": "sidecar-injector"},
                webhooks=injectors(tag, injector_of(plan, plane)),
            )
        if cluster.attachment is None and plane.istio >= FIRST_WITH_SERVICES_OF_TAGS:
            yield _service(plan, plane, tag, {**labels, "app": "istiod", "istio": "pilot"})


def _service(plan: Plan, plane: ClusterPlan, tag: str, labels: dict[str, str]) -> Body:
    """By its labels istiod learns which tags lead to it; what it selects runs in clusters with an istiod alone."""
    ports: list[dict[str, Any]] = [
        {"name": "grpc-xds", "port": 15010, "protocol": "TCP"},
        {"name": "https-dns", "port": 15012, "protocol": "TCP"},
        {"name": "https-webhook", "port": 443, "protocol": "TCP", "targetPort": 15017},
        {"name": "http-monitoring", "port": 15014, "protocol": "TCP"},
    ]
    pods = {"istio": "pilot"} if plane.revision == DEFAULT else {"istio.io/rev": plane.revision}
    spec = {"ports": ports, "selector": {"app": "istiod", **pods}}
    return thing("v1", "Service", f"istiod-revision-tag-{tag}", plan.istio_namespace, labels=labels, spec=spec)

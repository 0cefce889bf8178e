"""The objects of revision tags: a webhook for each tag, and a Service in clusters with an istiod.

They are the objects that chart istiod makes from `revisionTags` (1.24 to 1.32). As they don't belong to a Helm release,
one commit can move a tag to another control plane. With Helm, the old release would have to delete the objects first.
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
        if plane is None:  # a check reports it
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
    """The Service of a tag. From its labels, istiod learns its tags. Its pods only run in clusters with an istiod."""
    ports: list[dict[str, Any]] = [
        {"name": "grpc-xds", "port": 15010, "protocol": "TCP"},
        {"name": "https-dns", "port": 15012, "protocol": "TCP"},
        {"name": "https-webhook", "port": 443, "protocol": "TCP", "targetPort": 15017},
        {"name": "http-monitoring", "port": 15014, "protocol": "TCP"},
    ]
    pods = {"istio": "pilot"} if plane.revision == DEFAULT else {"istio.io/rev": plane.revision}
    spec = {"ports": ports, "selector": {"app": "istiod", **pods}}
    return thing("v1", "Service", f"istiod-revision-tag-{tag}", plan.istio_namespace, labels=labels, spec=spec)

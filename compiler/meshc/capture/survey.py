"""survey turns living clusters into what a dump of them would hold: the objects that tell of a mesh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.capture.dump import Dump, public_only
from meshc.capture.resource import Resource, core
from meshc.capture.trouble import AskError, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshc.capture.ask import Api
    from meshc.kube import Body

_UNTOLD = (Trouble.FORBIDDEN, Trouble.MISSING)
"""What only makes the mesh.yaml poorer: a right, or a kind, that isn't there."""


def survey(api: Api, namespace: str) -> Dump:
    """The objects of a cluster. `namespace` is Istio's. Raises AskError where the server doesn't answer."""
    api.version()
    bodies: list[Body] = []
    untold: list[str] = []
    for kind, version, resource in _kinds(namespace):
        try:
            found = api.listed(resource)
        except AskError as error:
            if error.trouble not in _UNTOLD:
                raise
            if error.trouble is Trouble.FORBIDDEN:
                untold.append(f"{error.what}; {error.hint}")
            continue
        bodies += public_only({**body, "apiVersion": version, "kind": kind} for body in found)
    return Dump(api.name, tuple(bodies), 0, tuple(untold))


def _kinds(namespace: str) -> Iterator[tuple[str, str, Resource]]:
    """Kind and version of what is listed: items of a list name neither."""
    yield "Namespace", "v1", core("namespaces")
    yield "Node", "v1", core("nodes")
    yield "Service", "v1", core("services")
    for plural, kind in (("deployments", "Deployment"), ("statefulsets", "StatefulSet"), ("daemonsets", "DaemonSet")):
        yield kind, "apps/v1", Resource(plural, group="apps")
    yield "ConfigMap", "v1", core("configmaps", namespace)
    yield "ConfigMap", "v1", core("configmaps", "kube-system")
    yield "Secret", "v1", core("secrets", namespace)
    yield "ServiceAccount", "v1", core("serviceaccounts", namespace)
    yield "Endpoints", "v1", core("endpoints", namespace)
    rbac = "rbac.authorization.k8s.io"
    yield "ClusterRole", f"{rbac}/v1", Resource("clusterroles", group=rbac)
    yield "ClusterRoleBinding", f"{rbac}/v1", Resource("clusterrolebindings", group=rbac)
    webhooks = "admissionregistration.k8s.io"
    yield "MutatingWebhookConfiguration", f"{webhooks}/v1", Resource("mutatingwebhookconfigurations", group=webhooks)
    security = "security.istio.io"
    yield "PeerAuthentication", f"{security}/v1", Resource("peerauthentications", namespace, group=security)
    slices = "discovery.k8s.io"
    yield "EndpointSlice", f"{slices}/v1", Resource("endpointslices", namespace, group=slices)

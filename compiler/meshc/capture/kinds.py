"""The kinds of objects that describe a running mesh: one list for live clusters, for the script that dumps them, and
for the docs.

It has no Secrets, because meshc reads only Istio's, and only their public parts (`dump_script`, `dump`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from meshc.capture.resource import Resource

Where = Literal["everywhere", "istio", "kubeadm"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object.

    `versions` are its API versions, the preferred one first. `where` says where it is read: in all namespaces, in
    Istio's own, or only the one object that kubeadm writes.
    """

    name: str
    plural: str
    why: str
    group: str = ""
    versions: tuple[str, ...] = ("v1",)
    where: Where = "everywhere"

    @property
    def word(self) -> str:
        """The name that kubectl uses, which is also the name of its file in a dump."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def resources(self, namespace: str) -> Iterator[tuple[str, Resource]]:
        """The resources to request, by apiVersion. If the server doesn't know one, the next is tried."""
        for version in self.versions:
            place = "" if self.where == "everywhere" else namespace if self.where == "istio" else "kube-system"
            yield (
                f"{self.group}/{version}" if self.group else version,
                Resource(self.plural, place, KUBEADM if self.where == "kubeadm" else "", self.group, version),
            )


KUBEADM = "kubeadm-config"
_APPS, _RBAC, _HOOKS = "apps", "rbac.authorization.k8s.io", "admissionregistration.k8s.io"
_NETWORKING, _SECURITY, _CLASSIC = "networking.istio.io", "security.istio.io", "authentication.istio.io"
_ISTIO = ("v1", "v1beta1", "v1alpha3")
_MODERN_HOOKS = ("v1", "v1beta1")
_RUN, _LET, _COMPARED = "the workloads in the mesh", "the permissions of istiod", "compared"

KINDS = (
    Kind("Namespace", "namespaces", "networks, revisions, namespaces in the mesh"),
    Kind("Node", "nodes", "address ranges"),
    Kind("ServiceCIDR", "servicecidrs", "address ranges", "networking.k8s.io", ("v1", "v1beta1")),
    Kind("ConfigMap", "configmaps", "address ranges", where="kubeadm"),
    Kind("ConfigMap", "configmaps", "settings of the mesh, and of each revision", where="istio"),
    Kind("Service", "services", "addresses, and Services that are called"),
    Kind("Endpoints", "endpoints", _RUN),
    Kind("EndpointSlice", "endpointslices", _RUN, "discovery.k8s.io", ("v1", "v1beta1")),
    Kind("Deployment", "deployments", "control planes, workloads in the mesh", _APPS),
    Kind("StatefulSet", "statefulsets", _RUN, _APPS),
    Kind("DaemonSet", "daemonsets", _RUN, _APPS),
    Kind("MutatingWebhookConfiguration", "mutatingwebhookconfigurations", "injection, tags", _HOOKS, _MODERN_HOOKS),
    Kind("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", _COMPARED, _HOOKS, _MODERN_HOOKS),
    Kind("ServiceAccount", "serviceaccounts", _LET, where="istio"),
    Kind("ClusterRole", "clusterroles", _LET, _RBAC),
    Kind("ClusterRoleBinding", "clusterrolebindings", _LET, _RBAC),
    Kind("Role", "roles", _LET, _RBAC, where="istio"),
    Kind("RoleBinding", "rolebindings", _LET, _RBAC, where="istio"),
    Kind("PeerAuthentication", "peerauthentications", "mutual TLS", _SECURITY, ("v1", "v1beta1")),
    Kind("MeshPolicy", "meshpolicies", "mutual TLS of classic Istio", _CLASSIC, ("v1alpha1",)),
    Kind("DestinationRule", "destinationrules", "mutual TLS of classic Istio", _NETWORKING, _ISTIO, "istio"),
    Kind("Gateway", "gateways", "gateways between networks", _NETWORKING, _ISTIO, "istio"),
    Kind("VirtualService", "virtualservices", "routes to the control plane", _NETWORKING, _ISTIO, "istio"),
    Kind("Gateway", "gateways", "ambient gateways between networks", "gateway.networking.k8s.io", where="istio"),
    Kind("IstioOperator", "istiooperators", "the tool that installed Istio", "install.istio.io", ("v1alpha1",)),
    Kind("Istio", "istios", "the tool that installed Istio", "sailoperator.io", ("v1", "v1alpha1")),
)


def of_object(group: str, kind: str) -> str:
    """The name of an object's kind; empty for a kind that isn't read."""
    group = _APPS if group == "extensions" else group  # the group of workloads before Kubernetes 1.16
    return next((one.word for one in KINDS if (one.group, one.name) == (group, kind)), "")

"""The remote component of istiod, 1.24 to 1.32: base's reader account and chart istiod's objects with `profile=remote`.

It differs from the charts in two points. It has a token Secret for the primary's credentials, because Kubernetes since
1.24 doesn't make one for an account. Its webhooks have no caBundle, because the primary's istiod fills it in.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from meshc.components.contract import ISTIO, binding, thing
from meshc.components.injection import injector_of, injectors, service_name
from meshc.components.rights import READER as READER_RIGHTS
from meshc.components.rights import granted
from meshc.kube import Version
from meshc.plan.remote_credentials import secrets_are_read

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.ways import Attachment

READER = "istio-reader-service-account"
_READER_LABELS = {**ISTIO, "app": "istio-reader"}
_FIRST_WITH_SLICES = Version(1, 28)
_FIRST_WITHOUT_TOKENS = Version(1, 24)


def lower(plan: Plan, cluster: ClusterPlan, attachment: Attachment) -> Iterable[Body]:
    """The reader account, role, binding and token, the injection webhook, and the Service `istiod` for the primary."""
    yield thing("v1", "ServiceAccount", READER, plan.istio_namespace, labels=_READER_LABELS)
    yield from _reader_role(plan, cluster)
    if not cluster.holds_config:  # an external istiod uses another account in its config cluster
        yield from reader_token(plan, cluster)
    yield from _way(plan, cluster, attachment)


def of_further(plan: Plan, cluster: ClusterPlan, attachment: Attachment) -> Iterable[Body]:
    """The objects of a further control plane; all control planes share the account and its token."""
    yield from _reader_role(plan, cluster)
    yield from _way(plan, cluster, attachment)


def _way(plan: Plan, cluster: ClusterPlan, attachment: Attachment) -> Iterable[Body]:
    if not attachment.https:  # else the gateway's certificate wouldn't match the name istiod
        yield from _service(plan, cluster, attachment.addresses["istiod"], attachment.family)
    if cluster.injection == "automatic":
        yield _webhook(plan, cluster)


def _reader_role(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    namespace, labels = plan.istio_namespace, _READER_LABELS
    revision = "" if cluster.revision == "default" else f"-{cluster.revision}"
    name = f"istio-reader-clusterrole{revision}-{namespace}"
    rules = granted(READER_RIGHTS, cluster.istio, without="" if secrets_are_read(plan, cluster) else "secrets")
    yield thing("rbac.authorization.k8s.io/v1", "ClusterRole", name, labels=labels, rules=rules)
    yield binding(name, READER, namespace, name, labels)


def reader_token(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """The token Secret of the reader account, with which primaries read this cluster; Kubernetes fills in the token."""
    return account_token(plan, cluster, READER, "istio-reader")


def account_token(plan: Plan, cluster: ClusterPlan, account: str, app: str) -> Iterable[Body]:
    """The token Secret of an account, with the name that `istioctl create-remote-secret` expects."""
    if cluster.kubernetes >= _FIRST_WITHOUT_TOKENS:
        yield thing(
            "v1",
            "Secret",
            f"{account}-istio-remote-secret-token",
            plan.istio_namespace,
            labels={**ISTIO, "app": app},
            annotations={"kubernetes.io/service-account.name": account},
            type="kubernetes.io/service-account-token",
        )


def _service(plan: Plan, cluster: ClusterPlan, address: str, chosen: str) -> Iterable[Body]:
    namespace, name = plan.istio_namespace, service_name(cluster.revision)
    labels = {**ISTIO, "app": "istiod", "istio.io/rev": cluster.revision}
    ports: list[dict[str, Any]] = [
        {"name": "tcp-istiod", "port": 15012, "protocol": "TCP"},
        {"name": "tcp-webhook", "port": 443, "protocol": "TCP", "targetPort": 15017},
    ]
    try:
        family = ipaddress.ip_address(address).version
    except ValueError:
        spec = {"type": "ExternalName", "externalName": address, "ports": ports}
        yield thing("v1", "Service", name, namespace, labels=labels, spec=spec)
        return
    families = {"ipFamilies": [chosen], "ipFamilyPolicy": "SingleStack"} if chosen else {}
    yield thing("v1", "Service", name, namespace, labels=labels, spec={**families, "ports": ports})
    reached = [{**port, "port": port.get("targetPort", port["port"])} for port in ports]
    for port in reached:
        port.pop("targetPort", None)
    if cluster.istio < _FIRST_WITH_SLICES:
        subsets = [{"addresses": [{"ip": address}], "ports": reached}]
        yield thing("v1", "Endpoints", name, namespace, labels=labels, subsets=subsets)
        return
    yield thing(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        name,
        namespace,
        labels={**labels, "kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": "meshc"},
        addressType=f"IPv{family}",
        endpoints=[{"addresses": [address]}],
        ports=reached,
    )


def _webhook(plan: Plan, cluster: ClusterPlan) -> Body:
    revision, namespace = cluster.revision, plan.istio_namespace
    suffix = ("" if revision == "default" else f"-{revision}") + (
        "" if namespace == "istio-system" else f"-{namespace}"
    )
    return thing(
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
        f"istio-sidecar-injector{suffix}",
        # istiod fills in the caBundle of webhooks with the label istio.io/rev
        labels={**ISTIO, "app": "sidecar-injector", "istio.io/rev": revision},
        webhooks=injectors(revision, injector_of(plan, cluster)),
    )

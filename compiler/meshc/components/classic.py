"""The remote component of classic Istio: the objects of chart istio-remote 1.0.6 without its clean-up hooks.

It differs from the chart in three points:

* The four hook objects are left out. A GitOps engine would run their Job at once, and the Job deletes every workload
  certificate of the cluster.
* API versions are apps/v1 and rbac v1, which Kubernetes has since 1.9. The chart's beta versions end at 1.16 and 1.22.
* meshc writes the namespaces. kustomize's namespace transformer would miss those in the mesh configuration, and would
  treat MeshPolicy as a namespaced kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from meshc.components import classic_injector
from meshc.components.contract import ISTIO, binding, rule, thing
from meshc.kube import Version
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.ways import Attachment

_READ = ("get", "watch", "list")
READS = rule([""], ["nodes", "pods", "services", "endpoints"], _READ)
"""The rights of a primary's Pilot in a remote."""
_CITADEL_ACCOUNT = "istio-citadel-service-account"

PILOT_PORTS: Mapping[str, int] = {
    "http-old-discovery": 15003,
    "https-discovery": 15005,
    "http-discovery": 15007,
    "grpc-xds": 15010,
    "https-xds": 15011,
    "http-legacy-discovery": 8080,
    "http-monitoring": 9093,
}
"""The ports of the chart's istio-pilot Service. Sidecars use 15010, or 15011 with control-plane TLS."""

_MIXER_PORT = 15004
"""Mixer's port. The chart uses the same port with and without control-plane TLS."""


def lower(plan: Plan, cluster: ClusterPlan, attachment: Attachment) -> Iterable[Body]:
    """Accounts, roles, mesh configuration, Citadel, injection, and Pilot's Service and Endpoints if they are needed."""
    namespace = plan.istio_namespace
    yield thing("v1", "ServiceAccount", "istio-multi", namespace, labels=ISTIO)
    yield thing("rbac.authorization.k8s.io/v1", "ClusterRole", "istio-reader", labels=ISTIO, rules=[READS])
    yield binding("istio-reader", "istio-multi", namespace, "istio-multi", ISTIO)
    mesh = write(mesh_config(plan, cluster.istio, attachment))
    yield thing("v1", "ConfigMap", "istio", namespace, labels={**ISTIO, "app": "istio-remote"}, data={"mesh": mesh})
    yield classic_injector.config_map(plan, cluster, attachment)
    yield from _citadel(plan, cluster)
    if cluster.injection == "automatic":
        yield from classic_injector.webhook(plan, cluster, {"affinity": {"nodeAffinity": _architectures()}})
    if attachment.pilot_service:
        yield from _pilot(namespace, attachment.addresses["pilot"])


def mesh_config(plan: Plan, version: Version, attachment: Attachment) -> Body:
    """The mesh configuration of this cluster's sidecars."""
    addresses = attachment.addresses
    known = version >= Version(1, 0, 2)  # 1.0.1 has neither policyCheckFailOpen nor concurrency
    config: dict[str, Any] = {"accessLogFile": "/dev/stdout"}
    if policy := addresses.get("policy"):
        config |= {"mixerCheckServer": f"{policy}:{_MIXER_PORT}", "disablePolicyChecks": False}
        config |= {"policyCheckFailOpen": False} if known else {}
    if telemetry := addresses.get("telemetry"):
        config["mixerReportServer"] = f"{telemetry}:{_MIXER_PORT}"
    proxy: dict[str, Any] = {
        "binaryPath": "/usr/local/bin/envoy",
        "configPath": "/etc/istio/proxy",
        "connectTimeout": "10s",
        "controlPlaneAuthPolicy": "MUTUAL_TLS" if plan.control_plane_tls else "NONE",
        "discoveryAddress": _discovery_address(plan, attachment),
        "drainDuration": "45s",
        "parentShutdownDuration": "1m0s",
        "proxyAdminPort": 15000,
        "serviceCluster": "istio-proxy",
    }
    proxy |= {"concurrency": 0} if known else {}
    if zipkin := addresses.get("zipkin"):
        config["enableTracing"] = True
        proxy["zipkinAddress"] = f"{zipkin}:9411"
    return {**config, "defaultConfig": proxy}


def _discovery_address(plan: Plan, attachment: Attachment) -> str:
    """Host and port of Pilot. From the host, the sidecar derives the name that it expects in Pilot's certificate."""
    host = f"istio-pilot.{plan.istio_namespace}" if attachment.pilot_service else attachment.addresses["pilot"]
    return f"{host}:{PILOT_PORTS['https-discovery' if plan.control_plane_tls else 'http-discovery']}"


def _citadel(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    namespace, name = plan.istio_namespace, f"istio-citadel-{plan.istio_namespace}"
    labels = {**ISTIO, "app": "istio-citadel"}
    pulls: dict[str, Any] = {}
    if cluster.images.pull_secrets:
        pulls["imagePullSecrets"] = [{"name": secret} for secret in cluster.images.pull_secrets]
    yield thing("v1", "ServiceAccount", _CITADEL_ACCOUNT, namespace, labels=labels, **pulls)
    rules = [
        rule([""], ["secrets"], ["create", "get", "watch", "list", "update", "delete"]),
        rule([""], ["serviceaccounts"], _READ),
        rule([""], ["services"], _READ),
    ]
    yield thing("rbac.authorization.k8s.io/v1", "ClusterRole", name, labels=labels, rules=rules)
    yield binding(name, _CITADEL_ACCOUNT, namespace, name, labels)
    ports = [
        {"name": "grpc-citadel", "port": 8060, "targetPort": 8060, "protocol": "TCP"},
        {"name": "http-monitoring", "port": 9093, "protocol": "TCP"},
    ]
    yield thing(
        "v1",
        "Service",
        "istio-citadel",
        namespace,
        labels=labels,
        spec={"ports": ports, "selector": {"istio": "citadel"}},
    )
    yield thing(
        "apps/v1", "Deployment", "istio-citadel", namespace, labels=labels, spec=_citadel_deployment(plan, cluster)
    )


def _citadel_deployment(plan: Plan, cluster: ClusterPlan) -> Mapping[str, Any]:
    self_signed = plan.ca == "self-signed"
    arguments = [
        "--append-dns-names=true",
        "--grpc-port=8060",
        "--grpc-hostname=citadel",
        f"--citadel-storage-namespace={plan.istio_namespace}",
        f"--self-signed-ca={str(self_signed).lower()}",
    ]
    container: dict[str, Any] = {
        "name": "citadel",
        "image": f"{cluster.images.hub}/citadel:{cluster.images.full_tag}",
        "imagePullPolicy": "IfNotPresent",
        "args": arguments,
        "resources": {"requests": {"cpu": "10m"}},
    }
    pod: dict[str, Any] = {
        "serviceAccountName": _CITADEL_ACCOUNT,
        "containers": [container],
        "affinity": {"nodeAffinity": _architectures()},
    }
    if not self_signed:
        for flag, key in (
            ("signing-cert", "ca-cert"),
            ("signing-key", "ca-key"),
            ("root-cert", "root-cert"),
            ("cert-chain", "cert-chain"),
        ):
            arguments.append(f"--{flag}=/etc/cacerts/{key}.pem")
        container["volumeMounts"] = [{"name": "cacerts", "mountPath": "/etc/cacerts", "readOnly": True}]
        pod["volumes"] = [{"name": "cacerts", "secret": {"secretName": "cacerts", "optional": True}}]
    template = {
        "metadata": {"labels": {"istio": "citadel"}, "annotations": {"sidecar.istio.io/inject": "false"}},
        "spec": pod,
    }
    return {"replicas": 1, "selector": {"matchLabels": {"istio": "citadel"}}, "template": template}


def _architectures() -> Mapping[str, Any]:
    """Node affinity for the architectures of Istio 1.0's images, by the label that Kubernetes before 1.14 has."""
    key = "beta.kubernetes.io/arch"
    images = ["amd64", "ppc64le", "s390x"]

    def match(values: list[str]) -> dict[str, Any]:
        return {"matchExpressions": [{"key": key, "operator": "In", "values": values}]}

    return {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [match(images)]},
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 2, "preference": match([arch])} for arch in images
        ],
    }


def _pilot(namespace: str, address: str) -> Iterable[Body]:
    ports = [{"name": name, "port": port, "protocol": "TCP"} for name, port in PILOT_PORTS.items()]
    yield thing("v1", "Service", "istio-pilot", namespace, labels=ISTIO, spec={"clusterIP": "None", "ports": ports})
    subsets = [{"addresses": [{"ip": address}], "ports": ports}]
    yield thing("v1", "Endpoints", "istio-pilot", namespace, labels=ISTIO, subsets=subsets)

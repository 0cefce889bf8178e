"""The keys of mesh.yaml from which meshc computes a chart's values."""

from __future__ import annotations

from collections.abc import Mapping

from meshc.plan.istiod_values import PATCHED, READS_FILES, ROOTS_OF_SIDECARS

Path = tuple[str, ...]
"""The path of a value."""

KEYS: Mapping[str, str] = {
    "hub": "istio.images.hub",
    "tag": "istio.images.tag",
    "imagePullSecrets": "istio.images.pullSecrets",
    "istioNamespace": "istio.namespace",
    "meshID": "istio.meshID",
    "multiCluster": "clusters[].clusterID",
    "network": "clusters[].network",
    "networkGateway": "networks",
    "service": "networks[].gateway",
    "labels": "networks[].gateway",
    "trustDomain": "istio.trustDomain",
    "trustDomainAliases": "istio.trustDomainAliases",
    "clusterDomain": "istio.clusterDomain",
    "CLUSTER_DOMAIN": "istio.clusterDomain",
    "revision": "istio.revision",
    "defaultRevision": "istio.revision",
    "profile": "clusters[].role, and for ambient namespaces[].dataplane",
    "externalIstiod": "clusters[].role",
    "configCluster": "clusters[].controlPlane.configCluster",
    "remotePilotAddress": "clusters[].controlPlane.addresses",
    "remotePolicyAddress": "clusters[].controlPlane.addresses",
    "remoteTelemetryAddress": "clusters[].controlPlane.addresses",
    "remoteZipkinAddress": "clusters[].controlPlane.addresses",
    "zipkinAddress": "clusters[].controlPlane.addresses",
    "remotePilotCreateSvcEndpoint": "clusters[].controlPlane.pilotService",
    "istiodRemote": "clusters[].controlPlane.injectionURL",
    "validationURL": "clusters[].controlPlane.injectionURL",
    "operatorManageWebhooks": "clusters[].sidecarInjection",
    "sidecarInjectorWebhook": "clusters[].sidecarInjection",
    "mtls": "security.mutualTLS",
    "controlPlaneSecurityEnabled": "security.controlPlaneTLS",
    "selfSigned": "security.ca.type",
    "ISTIO_MULTIROOT_MESH": "security.ca.fastRootRotation",
    "PROXY_CONFIG_XDS_AGENT": "security.ca.fastRootRotation",
    "AMBIENT_ENABLE_MULTI_NETWORK": "networks",
    "caAddress": "clusters[].controlPlane.https",
    "discoveryAddress": "clusters[].controlPlane.https",
    **dict.fromkeys((*ROOTS_OF_SIDECARS, *PATCHED), "clusters[].controlPlane.https"),
    "cni": "istio.charts.also",
    READS_FILES: "istio.remoteSecrets",
}
"""The key of mesh.yaml that decides a computed value. The last step of the value's path that is a key here counts."""

FREE: Mapping[str, frozenset[Path]] = {"gateway": frozenset({("annotations",)})}
"""Computed values of a chart that the user may override."""

WHOLE: frozenset[Path] = frozenset({("meshConfig", "trustDomainAliases")})
"""Computed lists to which the user can't add items."""

"""Writes the Helm values of a cluster as resources of the Sail operator, which installs the same charts.

Source: the CRDs of istio-ecosystem/sail-operator, August 2026 (sailoperator.io/v1). Their schemas list the allowed
values, and an API server drops every other value. So meshc leaves such values out, and reports them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.plan.charts import merged
from meshc.plan.values import charts_in, installed, values_of

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan

_API = "sailoperator.io/v1"
_ONLY_NAME = "default"
"""The only name that the operator accepts for an IstioCNI and a ZTunnel."""


def _keys(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


_NODE = "affinity nodeSelector podAnnotations podLabels resources tolerations volumeMounts volumes"
_OF_GLOBAL = "defaultResources hub imagePullPolicy imagePullSecrets logAsJson logging platform tag variant"

KNOWN: Mapping[str, Mapping[str, frozenset[str] | None]] = {
    "Istio": {
        "base": _keys("excludedCRDs validationCABundle validationURL"),
        "compatibilityVersion": None,
        "experimental": None,
        "gatewayClasses": None,
        "global": _keys(
            _OF_GLOBAL,
            "agentgateway arch caAddress caName certSigners configCluster configValidation defaultNodeSelector",
            "defaultPodDisruptionBudget defaultTolerations enableReaderRBAC externalIstiod ipFamilies ipFamilyPolicy",
            "istioNamespace istiod jwtPolicy meshID meshNetworks mountMtlsCerts multiCluster nativeNftables network",
            "networkPolicy omitSidecarInjectorConfigMap operatorManageWebhooks pilotCertProvider",
            "podDNSSearchNamespaces priorityClassName proxy proxy_init readerServiceAccount remotePilotAddress",
            "resourceScope sds sts tracer trustBundleName waypoint",
        ),
        "istiodRemote": _keys("enabled enabledLocalInjectorIstiod injectionCABundle injectionPath injectionURL"),
        "meshConfig": None,
        "pilot": _keys(
            _NODE,
            "autoscaleBehavior autoscaleEnabled autoscaleMax autoscaleMin cni configMap cpu crlConfigMapName",
            "deploymentLabels enabled env envVarFrom extraContainerArgs hub image ipFamilies ipFamilyPolicy",
            "istiodRemote jwksResolverExtraRootCA keepaliveMaxServerConnectionAge memory replicaCount",
            "rollingMaxSurge rollingMaxUnavailable seccompProfile serviceAccountAnnotations serviceAnnotations tag",
            "taint topologySpreadConstraints traceSampling trustedZtunnelNamespace variant",
        ),
        "sidecarInjectorWebhook": None,
        "telemetry": None,
    },
    "IstioCNI": {
        "cni": _keys(
            "affinity ambient chained cniBinDir cniConfDir cniConfFileName cniNetnsDir daemonSetLabels env",
            "excludeNamespaces hub image istioOwnedCNIConfig istioOwnedCNIConfigFileName logging podAnnotations",
            "podLabels privileged provider psp_cluster_role pullPolicy repair resource_quotas resources",
            "rollingMaxUnavailable seccompProfile tag useAppArmorAnnotation variant",
        ),
        "global": _keys(_OF_GLOBAL, "nativeNftables"),
    },
    "ZTunnel": {
        "global": _keys(_OF_GLOBAL),
        "ztunnel": _keys(
            _NODE,
            "annotations caAddress dnsConfig dnsPolicy env hub image imagePullPolicy imagePullSecrets",
            "istioNamespace labels logAsJson logLevel multiCluster network peerCaCrl resourceName resourceQuotas",
            "revision seLinuxOptions tag terminationGracePeriodSeconds updateStrategy variant xdsAddress",
        ),
    },
}
"""The allowed values of each kind: the sections, each with its keys; None allows any key."""

_OWN = {"Istio": "pilot", "IstioCNI": "cni", "ZTunnel": "ztunnel"}
"""The section for a chart's own values. The charts also accept these values at the top level."""
_SET_BY_OPERATOR = {"Istio": ("revision", "defaultRevision", "profile"), "IstioCNI": ("profile",), "ZTunnel": ()}
"""Values that the operator takes from the resource's name and from `spec.profile`."""
_KINDS = {"istiod": "Istio", "cni": "IstioCNI", "ztunnel": "ZTunnel"}


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the operator, and the dotted paths of the values that it can't contain."""

    body: Body
    left_out: tuple[str, ...]


def resources_of(plan: Plan, cluster: ClusterPlan) -> Iterator[Resource]:
    """The resources for the charts of a cluster: an Istio for base and istiod, an IstioCNI and a ZTunnel."""
    there = [
        (chart, installed(cluster, chart, release), values_of(plan, cluster, chart, release, own))
        for chart, release, _, own in charts_in(plan, cluster)
    ]
    base = next((values for chart, _, values in there if chart == "base"), {})
    for chart, plane, values in there:
        if chart in _KINDS:
            kind = _KINDS[chart]
            yield _resource(plan, plane, kind, merged(base, values) if kind == "Istio" else values)


def others_in(plan: Plan, cluster: ClusterPlan) -> Iterator[tuple[str, str]]:
    """The chart and the release of everything that the operator can't install, such as gateways."""
    for chart, release, _, _ in charts_in(plan, cluster):
        if chart not in _KINDS and chart != "base":
            yield chart, release


def _resource(plan: Plan, cluster: ClusterPlan, kind: str, values: Mapping[str, Any]) -> Resource:
    name = cluster.revision if kind == "Istio" else _ONLY_NAME
    spec: dict[str, Any] = {"version": f"v{cluster.istio}", "namespace": plan.istio_namespace}
    set_by_operator = _SET_BY_OPERATOR[kind]
    if "profile" in set_by_operator and values.get("profile"):
        spec["profile"] = values["profile"]
    placed, left_out = _typed(kind, {key: value for key, value in values.items() if key not in set_by_operator})
    body = {"apiVersion": _API, "kind": kind, "metadata": {"name": name}, "spec": {**spec, "values": placed}}
    return Resource(body, tuple(sorted(left_out)))


def _typed(kind: str, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The values in their sections, and the paths of the values that no section allows."""
    sections, own = KNOWN[kind], _OWN[kind]
    placed: dict[str, Any] = {}
    left_out: list[str] = []
    for key, value in values.items():
        if key in sections or key in (sections[own] or ()):
            placed = merged(placed, {key: value} if key in sections else {own: {key: value}})
        else:
            left_out.append(key)
    for section, known in sections.items():
        inner = placed.get(section)
        if known is not None and isinstance(inner, Mapping):
            left_out += [f"{section}.{key}" for key in inner if key not in known]
            placed[section] = {key: value for key, value in inner.items() if key in known}
    return {section: value for section, value in placed.items() if value != {}}, left_out

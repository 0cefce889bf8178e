"""The table of Helm values that mesh.yaml decides, or on which meshc's objects depend.

What meshc computes (`plan/values.py`) is decided as it stands. `RULES` adds values that meshc leaves to the charts'
defaults, and that mean something else to the mesh when they are set. Read from the charts of Istio 1.24 to 1.31.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.plan.values import PATCHED, READS_FILES, ROOTS_OF_SIDECARS

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan

Path = tuple[str, ...]


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
    "profile": "clusters[].role, and for ambient namespaces[].dataplane,",
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
"""The key of mesh.yaml that decides a computed value, by the last step of the value's path that stands here."""

FREE: Mapping[str, frozenset[Path]] = {"gateway": frozenset({("annotations",)})}
"""Computed values of a chart that may be set otherwise."""

WHOLE: frozenset[Path] = frozenset({("meshConfig", "trustDomainAliases")})
"""Computed lists that may hold nothing more."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A value that isn't computed. `key` says where in mesh.yaml it belongs; `why` says what depends on it."""

    charts: tuple[str, ...]
    path: Path
    key: str
    why: str
    allowed: Callable[[Plan, ClusterPlan, Any], bool]
    in_istiod: bool = False
    """Whether it only matters where an istiod runs."""


def _never(_plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return _is_off(value)


def _on(_plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return str(value).lower() != "false"


def _is_off(value: Any) -> bool:
    return value in (None, "", False, {}, [], ()) or str(value).lower() == "false"


def _no_revision(_plan: Plan, cluster: ClusterPlan, value: Any) -> bool:
    return bool(cluster.revision == "default" and value in ("", "default"))


def _kind_of_primary(_plan: Plan, cluster: ClusterPlan, value: Any) -> bool:
    if cluster.attachment:
        return bool(value == "remote")
    return bool(value != "remote" and (cluster.ambient is not None or "ambient" not in str(value)))


def _root_namespace(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return value in ("", plan.istio_namespace)


def _is_trust_domain(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return value in ("", plan.trust_domain)


def _is_alias(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return _is_off(value) and not plan.trust_domain_aliases


def _is_domain(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return value in ("", plan.cluster_domain)


def _is_id(plan: Plan, cluster: ClusterPlan, value: Any) -> bool:
    holder = cluster.config_cluster if cluster.is_external else None
    return bool(value == (plan.cluster(holder).id if holder else cluster.id))


def _is_network(_plan: Plan, cluster: ClusterPlan, value: Any) -> bool:
    return value in ("", cluster.network_label)


def _is_mesh(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return value in ("", plan.mesh_id)


def _external_ca(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return plan.ca == "external" or value in ("", "Citadel")


def _signs(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return plan.ca == "external" or str(value).lower() != "false"


def _of_istiod(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return plan.ca == "external" or value in ("", "istiod")


def _ambient_only(_plan: Plan, cluster: ClusterPlan, value: Any) -> bool:
    return cluster.ambient is not None or _is_off(value)


def _external_only(_plan: Plan, cluster: ClusterPlan, value: Any) -> bool:
    return cluster.is_external or _is_off(value)


def _no_fixed_options(_plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    fixed = ("--clusterRegistriesNamespace", "--meshConfig", "--networksConfig", "--registries", "--clusterAliases")
    return not any(str(one).split("=")[0] in fixed for one in (value if isinstance(value, list | tuple) else ()))


def _no_fixed_names(_plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    names = (
        {str(one.get("name")) for one in value if isinstance(one, Mapping)}
        if isinstance(value, list | tuple)
        else set()
    )
    return not names & FIXED_SETTINGS.keys()


def _needed_crds(_plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    needed = {"peerauthentications.security.istio.io", "gateways.networking.istio.io"}
    needed |= {"virtualservices.networking.istio.io", "destinationrules.networking.istio.io"}
    return not needed & {str(one) for one in (value if isinstance(value, list | tuple) else ())}


def _remotes_ask_mixer(plan: Plan, cluster: ClusterPlan) -> bool:
    attachments = [plan.cluster(name).attachment for name in cluster.remotes]
    return any(one is not None and {"policy", "telemetry"} & one.addresses.keys() for one in attachments)


def _is_cluster_local(_plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return value in ("", "cluster.local")


FIXED_SETTINGS: Mapping[str, tuple[str, Callable[[Plan, ClusterPlan, Any], bool]]] = {
    "CLUSTER_ID": ("clusters[].clusterID", _is_id),
    "TRUST_DOMAIN": ("istio.trustDomain", _is_trust_domain),
    "REVISION": ("istio.revision", _no_revision),
    "EXTERNAL_ISTIOD": ("clusters[].role", lambda _p, c, v: bool(c.remotes) or c.is_external or _is_off(v)),
    "ISTIOD_CUSTOM_HOST": ("clusters[].controlPlane.injectionURL", _external_only),
    "LOCAL_CLUSTER_SECRET_WATCHER": ("clusters[].role", _external_only),
    "SHARED_MESH_CONFIG": ("clusters[].role", _external_only),
    READS_FILES: ("istio.remoteSecrets: istiod then reads no remote secret", _never),
    "ENABLE_CA_SERVER": ("security.ca.type: external", _signs),
    "EXTERNAL_CA": ("security.ca.type: external", _external_ca),
    "PILOT_CERT_PROVIDER": ("security.ca.type: external", _of_istiod),
    "ROOT_CA_DIR": ("security.ca.type", _never),
    "INJECT_ENABLED": ("clusters[].sidecarInjection", _on),
    "PILOT_ENABLE_AMBIENT": ("namespaces[].dataplane", _ambient_only),
    "POD_NAMESPACE": ("istio.namespace", _root_namespace),
}
"""Environment variables of istiod that carry what mesh.yaml decides."""

_PROXY_SETTINGS: Mapping[str, tuple[str, Callable[[Plan, ClusterPlan, Any], bool]]] = {
    "ISTIO_META_CLUSTER_ID": ("clusters[].clusterID", _is_id),
    "ISTIO_META_NETWORK": ("clusters[].network", _is_network),
    "ISTIO_META_MESH_ID": ("istio.meshID", _is_mesh),
    "TRUST_DOMAIN": ("istio.trustDomain", _is_trust_domain),
    "CA_ADDR": ("security.ca.type: external", _external_ca),
    "ISTIO_META_ENABLE_HBONE": ("namespaces[].dataplane", _ambient_only),
}

_NAMES = "every Service has its name in Istio by it"
_PROXIES = "a proxy then says that it is somewhere else"
_ISTIOD = ("istiod",)
_MESH = ("meshConfig",)
_KIND = "it makes another kind of cluster of this one"
_SIGNER = "security.ca.type: external"
_DOMAIN = "copies and identities have names under cluster.local"
_OTHER_CA = "the CA is then another one"
_RUNS = "an istiod then runs here"
_ISTIOD_DIFFERS = "istiod then does something else than mesh.yaml says"

RULES: tuple[Rule, ...] = (
    Rule(_ISTIOD, ("profile",), KEYS["profile"], _KIND, _kind_of_primary),
    Rule(
        _ISTIOD,
        ("global", "profile"),
        KEYS["profile"],
        _KIND,
        _kind_of_primary,
    ),
    Rule(("cni",), ("profile",), "namespaces[].dataplane", "ambient is decided by namespaces", _kind_of_primary),
    Rule(_ISTIOD, ("revision",), "istio.revision", "namespaces carry the label of that revision", _no_revision),
    Rule(("ztunnel", "gateway"), ("revision",), "istio.revision", "it then asks another control plane", _no_revision),
    Rule(_ISTIOD, ("revisionTags",), "istio.revisionTags", "meshc compiles the objects of each tag", _never),
    Rule(_ISTIOD, ("global", "network"), "clusters[].network", _PROXIES, _is_network),
    Rule(("ztunnel",), ("network",), "clusters[].network", _PROXIES, _is_network),
    Rule(_ISTIOD, ("global", "trustDomain"), "istio.trustDomain", "identities carry it", _is_trust_domain),
    Rule(
        _ISTIOD,
        (*_MESH, "trustDomainAliases"),
        "istio.trustDomainAliases",
        "whoever signs for an alias can be anybody in the mesh",
        _is_alias,
    ),
    Rule(_ISTIOD, ("global", "proxy", "clusterDomain"), "istio.clusterDomain", _NAMES, _is_domain),
    Rule(("ztunnel",), ("env", "CLUSTER_DOMAIN"), "istio.clusterDomain", _NAMES, _is_domain),
    Rule(
        _ISTIOD,
        ("global", "remotePilotAddress"),
        "clusters[].role and clusters[].controlPlane.addresses",
        "a primary then sends its own sidecars elsewhere",
        lambda _p, c, v: c.attachment is not None or _is_off(v),
    ),
    Rule(
        _ISTIOD,
        ("istiodRemote", "enabled"),
        "clusters[].role",
        "it decides whether an istiod runs here",
        lambda _p, c, v: (c.attachment is not None) == (str(v).lower() == "true"),
    ),
    Rule(_ISTIOD, ("istiodRemote", "enabledLocalInjectorIstiod"), "clusters[].role", _RUNS, _never),
    Rule(
        _ISTIOD,
        ("istiodRemote", "injectionURL"),
        "clusters[].controlPlane.injectionURL",
        "the webhook then asks another control plane",
        _never,
    ),
    Rule(
        _ISTIOD,
        ("global", "configCluster"),
        "clusters[].controlPlane.configCluster",
        "an istiod elsewhere then gets rights here",
        _never,
    ),
    Rule(
        _ISTIOD,
        ("global", "omitSidecarInjectorConfigMap"),
        "clusters[].sidecarInjection",
        "istiod injects nothing without it",
        lambda _p, c, v: c.attachment is not None or _is_off(v),
    ),
    Rule(
        _ISTIOD,
        ("global", "operatorManageWebhooks"),
        "clusters[].sidecarInjection: manual",
        "no webhook then injects sidecars",
        lambda _p, c, v: c.injection == "manual" or _is_off(v),
    ),
    Rule(
        _ISTIOD,
        ("configMap",),
        "nothing",
        "istiod reads its mesh settings from it",
        lambda _p, c, v: _on(_p, c, v) or c.attachment is not None,
    ),
    Rule(
        ("istiod", "base"),
        ("global", "resourceScope"),
        "nothing",
        "a part of what the mesh needs is then left out",
        lambda _p, _c, v: v in ("", "all"),
    ),
    Rule(_ISTIOD, ("global", "meshNetworks"), "networks", "it names other gateways than mesh.yaml", _never),
    Rule(
        _ISTIOD, (*_MESH, "rootNamespace"), "istio.namespace", "mutual TLS for the mesh stands there", _root_namespace
    ),
    Rule(
        _ISTIOD,
        (*_MESH, "enableAutoMtls"),
        "security.mutualTLS",
        "callers then send plain text to workloads that want mutual TLS",
        lambda plan, _c, v: plan.mutual_tls == "disabled" or _on(plan, _c, v),
    ),
    Rule(
        _ISTIOD,
        (*_MESH, "defaultConfig", "discoveryAddress"),
        "clusters[].controlPlane.addresses",
        "sidecars then ask another control plane",
        _never,
    ),
    Rule(_ISTIOD, (*_MESH, "defaultConfig", "meshId"), "istio.meshID", _PROXIES, _is_mesh),
    Rule(_ISTIOD, (*_MESH, "ca", "address"), "security.ca.type: external", "istiod then signs nothing", _external_ca),
    Rule(_ISTIOD, ("global", "caAddress"), _SIGNER, _OTHER_CA, _external_ca),
    Rule(_ISTIOD, ("global", "caName"), _SIGNER, _OTHER_CA, _external_ca),
    Rule(("ztunnel",), ("caAddress",), _SIGNER, _OTHER_CA, _external_ca),
    Rule(("ztunnel",), ("xdsAddress",), "clusters[].role", "ztunnel then asks another control plane", _never),
    Rule(_ISTIOD, ("global", "pilotCertProvider"), "security.ca.type: external", "istiod's certificate", _of_istiod),
    Rule(
        ("istiod", "base"),
        ("global", "readerServiceAccount"),
        "nothing",
        "remote secrets hold a token of istio-reader-service-account",
        _never,
    ),
    Rule(
        ("istiod", "base"), ("global", "enableReaderRBAC"), "nothing", "remote secrets hold a token of its account", _on
    ),
    Rule(
        ("istiod", "base"),
        ("base", "validationURL"),
        "clusters[].controlPlane.injectionURL",
        "the API server then asks another control plane about configuration",
        _never,
    ),
    Rule(("base",), ("base", "excludedCRDs"), "nothing", "meshc compiles objects of these kinds", _needed_crds),
    Rule(_ISTIOD, ("extraContainerArgs",), "nothing", _ISTIOD_DIFFERS, _no_fixed_options, in_istiod=True),
    Rule(_ISTIOD, ("envVarFrom",), "nothing", _ISTIOD_DIFFERS, _no_fixed_names, in_istiod=True),
    *(
        Rule(_ISTIOD, ("env", name), key, _ISTIOD_DIFFERS, may, in_istiod=True)
        for name, (key, may) in FIXED_SETTINGS.items()
    ),
    *(
        Rule(_ISTIOD, (*_MESH, "defaultConfig", "proxyMetadata", name), key, _PROXIES, may)
        for name, (key, may) in _PROXY_SETTINGS.items()
    ),
    Rule(("istio", "istio-remote"), ("security", "enabled"), "nothing", "Citadel then doesn't run", _on),
    Rule(("istio",), ("pilot", "enabled"), "nothing", "Pilot then doesn't run", _on),
    Rule(
        ("istio", "istio-remote"),
        ("global", "omitSidecarInjectorConfigMap"),
        "clusters[].sidecarInjection",
        "the injector injects nothing without it",
        lambda _p, c, v: c.injection == "manual" or _is_off(v),
    ),
    Rule(("istio",), ("global", "remotePilotAddress"), "clusters[].role", "a primary has its own pilot", _never),
    Rule(
        ("istio",),
        ("mixer", "enabled"),
        "clusters[].controlPlane.addresses",
        "remotes use the addresses of policy or telemetry, where nothing answers without Mixer",
        lambda plan, c, v: _on(plan, c, v) or not _remotes_ask_mixer(plan, c),
    ),
    Rule(("istio",), ("global", "oneNamespace"), "nothing", "Pilot then reads one namespace alone", _never),
    Rule(("istio",), ("global", "proxy", "discoveryDomain"), "nothing", _DOMAIN, _is_cluster_local),
    Rule(("istio",), ("global", "proxy", "proxyDomain"), "nothing", _DOMAIN, _is_cluster_local),
)

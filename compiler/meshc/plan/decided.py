"""The table of Helm values that mesh.yaml decides, or on which meshc's objects depend.

It includes all values that meshc computes (`plan/values.py`). `RULES` adds values that meshc leaves to the charts'
defaults, because setting them would contradict the mesh. Read from the charts of Istio 1.24 to 1.31.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.plan import may
from meshc.plan.deciding_keys import KEYS, Path
from meshc.plan.fixed_settings import FIXED_SETTINGS, PROXY_SETTINGS, no_fixed_names

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan


@dataclass(frozen=True, slots=True)
class Rule:
    """A value that meshc doesn't compute. `key` is the key of mesh.yaml to use instead; `why` is what depends on it."""

    charts: tuple[str, ...]
    path: Path
    key: str
    why: str
    allowed: Callable[[Plan, ClusterPlan, Any], bool]
    in_istiod: bool = False
    """True if the value only matters in clusters that run an istiod."""


_NAMES = "Istio's host names of Services contain this domain"
_PROXIES = "proxies would then report a cluster, network or mesh that differs from mesh.yaml"
_ISTIOD = ("istiod",)
_MESH = ("meshConfig",)
_KIND = "this profile is for a cluster with another role or dataplane"
_SIGNER = "security.ca.type: external"
_DOMAIN = "copies of Services and identities of workloads use cluster.local"
_OTHER_CA = "another CA would then sign the certificates of workloads"
_RUNS = "an istiod would then run in this cluster"
_ISTIOD_DIFFERS = "istiod would then differ from mesh.yaml"

RULES: tuple[Rule, ...] = (
    Rule(_ISTIOD, ("profile",), KEYS["profile"], _KIND, may.kind_of_primary),
    Rule(
        _ISTIOD,
        ("global", "profile"),
        KEYS["profile"],
        _KIND,
        may.kind_of_primary,
    ),
    Rule(
        ("cni",),
        ("profile",),
        "namespaces[].dataplane",
        "mesh.yaml decides under namespaces which of them are ambient",
        may.kind_of_primary,
    ),
    Rule(
        _ISTIOD,
        ("revision",),
        "istio.revision",
        "namespaces have the label of the revision in mesh.yaml",
        may.no_revision,
    ),
    Rule(
        ("ztunnel", "gateway"),
        ("revision",),
        "istio.revision",
        "it would then connect to another control plane",
        may.no_revision,
    ),
    Rule(_ISTIOD, ("revisionTags",), "istio.revisionTags", "meshc makes the objects of each revision tag", may.never),
    Rule(_ISTIOD, ("global", "network"), "clusters[].network", _PROXIES, may.is_network),
    Rule(("ztunnel",), ("network",), "clusters[].network", _PROXIES, may.is_network),
    Rule(
        _ISTIOD,
        ("global", "trustDomain"),
        "istio.trustDomain",
        "identities of workloads contain it",
        may.is_trust_domain,
    ),
    Rule(
        _ISTIOD,
        (*_MESH, "trustDomainAliases"),
        "istio.trustDomainAliases",
        "anyone who can sign certificates for an alias can impersonate every workload",
        may.is_alias,
    ),
    Rule(_ISTIOD, ("global", "proxy", "clusterDomain"), "istio.clusterDomain", _NAMES, may.is_domain),
    Rule(("ztunnel",), ("env", "CLUSTER_DOMAIN"), "istio.clusterDomain", _NAMES, may.is_domain),
    Rule(
        _ISTIOD,
        ("global", "remotePilotAddress"),
        "clusters[].role and clusters[].controlPlane.addresses",
        "sidecars of a primary would then connect to another control plane",
        lambda _p, c, v: c.attachment is not None or may.is_off(v),
    ),
    Rule(
        _ISTIOD,
        ("istiodRemote", "enabled"),
        "clusters[].role",
        "this value decides whether an istiod runs in the cluster",
        lambda _p, c, v: (c.attachment is not None) == (str(v).lower() == "true"),
    ),
    Rule(_ISTIOD, ("istiodRemote", "enabledLocalInjectorIstiod"), "clusters[].role", _RUNS, may.never),
    Rule(
        _ISTIOD,
        ("istiodRemote", "injectionURL"),
        "clusters[].controlPlane.injectionURL",
        "the injection webhook would then call another control plane",
        may.never,
    ),
    Rule(
        _ISTIOD,
        ("global", "configCluster"),
        "clusters[].controlPlane.configCluster",
        "the istiod of another cluster would then get permissions in this cluster",
        may.never,
    ),
    Rule(
        _ISTIOD,
        ("global", "omitSidecarInjectorConfigMap"),
        "clusters[].sidecarInjection",
        "istiod injects no sidecars without this ConfigMap",
        lambda _p, c, v: c.attachment is not None or may.is_off(v),
    ),
    Rule(
        _ISTIOD,
        ("global", "operatorManageWebhooks"),
        "clusters[].sidecarInjection: manual",
        "no webhook would then inject sidecars",
        lambda _p, c, v: c.injection == "manual" or may.is_off(v),
    ),
    Rule(
        _ISTIOD,
        ("configMap",),
        "nothing",
        "istiod reads its mesh configuration from this ConfigMap",
        lambda _p, c, v: may.on(_p, c, v) or c.attachment is not None,
    ),
    Rule(
        ("istiod", "base"),
        ("global", "resourceScope"),
        "nothing",
        "the chart would then leave out objects that the mesh needs",
        lambda _p, _c, v: v in ("", "all"),
    ),
    Rule(
        _ISTIOD, ("global", "meshNetworks"), "networks", "mesh.yaml defines the networks and their gateways", may.never
    ),
    Rule(
        _ISTIOD,
        (*_MESH, "rootNamespace"),
        "istio.namespace",
        "the mesh-wide mutual TLS policy is in the namespace istio.namespace",
        may.root_namespace,
    ),
    Rule(
        _ISTIOD,
        (*_MESH, "enableAutoMtls"),
        "security.mutualTLS",
        "clients would then send plain text to workloads that require mutual TLS",
        lambda plan, _c, v: plan.mutual_tls == "disabled" or may.on(plan, _c, v),
    ),
    Rule(
        _ISTIOD,
        (*_MESH, "defaultConfig", "discoveryAddress"),
        "clusters[].controlPlane.addresses",
        "sidecars would then connect to another control plane",
        may.never,
    ),
    Rule(_ISTIOD, (*_MESH, "defaultConfig", "meshId"), "istio.meshID", _PROXIES, may.is_mesh),
    Rule(
        _ISTIOD,
        (*_MESH, "ca", "address"),
        "security.ca.type: external",
        "istiod would then sign no certificates",
        may.external_ca,
    ),
    Rule(_ISTIOD, ("global", "caAddress"), _SIGNER, _OTHER_CA, may.external_ca),
    Rule(_ISTIOD, ("global", "caName"), _SIGNER, _OTHER_CA, may.external_ca),
    Rule(("ztunnel",), ("caAddress",), _SIGNER, _OTHER_CA, may.external_ca),
    Rule(
        ("ztunnel",),
        ("xdsAddress",),
        "clusters[].role",
        "ztunnel would then connect to another control plane",
        may.never,
    ),
    Rule(
        _ISTIOD,
        ("global", "pilotCertProvider"),
        "security.ca.type: external",
        "istiod would then get its certificate from another source",
        may.of_istiod,
    ),
    Rule(
        ("istiod", "base"),
        ("global", "readerServiceAccount"),
        "nothing",
        "remote secrets contain a token of istio-reader-service-account",
        may.never,
    ),
    Rule(
        ("istiod", "base"),
        ("global", "enableReaderRBAC"),
        "nothing",
        "remote secrets contain a token of this service account",
        may.on,
    ),
    Rule(
        ("istiod", "base"),
        ("base", "validationURL"),
        "clusters[].controlPlane.injectionURL",
        "the API server would then call another control plane to validate configuration",
        may.never,
    ),
    Rule(("base",), ("base", "excludedCRDs"), "nothing", "meshc makes objects of these kinds", may.needed_crds),
    Rule(_ISTIOD, ("extraContainerArgs",), "nothing", _ISTIOD_DIFFERS, may.no_fixed_options, in_istiod=True),
    Rule(_ISTIOD, ("envVarFrom",), "nothing", _ISTIOD_DIFFERS, no_fixed_names, in_istiod=True),
    *(
        Rule(_ISTIOD, ("env", name), key, _ISTIOD_DIFFERS, may, in_istiod=True)
        for name, (key, may) in FIXED_SETTINGS.items()
    ),
    *(
        Rule(_ISTIOD, (*_MESH, "defaultConfig", "proxyMetadata", name), key, _PROXIES, may)
        for name, (key, may) in PROXY_SETTINGS.items()
    ),
    Rule(("istio", "istio-remote"), ("security", "enabled"), "nothing", "Citadel would then not run", may.on),
    Rule(("istio",), ("pilot", "enabled"), "nothing", "Pilot would then not run", may.on),
    Rule(
        ("istio", "istio-remote"),
        ("global", "omitSidecarInjectorConfigMap"),
        "clusters[].sidecarInjection",
        "the injector injects no sidecars without this ConfigMap",
        lambda _p, c, v: c.injection == "manual" or may.is_off(v),
    ),
    Rule(("istio",), ("global", "remotePilotAddress"), "clusters[].role", "a primary uses its own Pilot", may.never),
    Rule(
        ("istio",),
        ("mixer", "enabled"),
        "clusters[].controlPlane.addresses",
        "remotes call policy or telemetry at this primary, and without Mixer nothing answers",
        lambda plan, c, v: may.on(plan, c, v) or not may.remotes_ask_mixer(plan, c),
    ),
    Rule(("istio",), ("global", "oneNamespace"), "nothing", "Pilot would then read only one namespace", may.never),
    Rule(("istio",), ("global", "proxy", "discoveryDomain"), "nothing", _DOMAIN, may.is_cluster_local),
    Rule(("istio",), ("global", "proxy", "proxyDomain"), "nothing", _DOMAIN, may.is_cluster_local),
)

"""Computes the values of chart istiod for primaries, remotes and external control planes, with or without ambient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.mesh.revisions import FIRST_READING_FILES
from meshc.plan.charts import merged
from meshc.plan.shared_values import Values, images, own_domain, revision_of

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.ways import Attachment


def istiod_values(plan: Plan, cluster: ClusterPlan) -> Values:
    values = {
        "global": {
            **images(cluster),
            "istioNamespace": plan.istio_namespace,
            "meshID": plan.mesh_id,
            "multiCluster": {"clusterName": id_of_istiod(plan, cluster)},
            "network": cluster.network_label,
            "proxy": {"clusterDomain": own_domain(plan)},
        },
        "meshConfig": {"trustDomain": plan.trust_domain, "trustDomainAliases": list(plan.trust_domain_aliases) or None},
        "pilot": {"cni": {"enabled": True}} if any(one.chart == "cni" for one in cluster.charts) else None,
        "revision": revision_of(cluster),
        **_ambient(cluster),
        **_trusted_ztunnel(plan, cluster),
    }
    values = merged(values, _roots_at_once(plan, cluster))
    if cluster.is_external:
        return _mounting(cluster, merged(values, _external(plan, cluster)))
    if cluster.attachment is None:
        # with externalIstiod, istiod gives its root certificate to remotes, and patches their webhooks
        values = _mounting(cluster, merged(values, validation(plan, cluster)))
        return merged(values, {"global": {"externalIstiod": True}} if cluster.remotes else {})
    return merged(merged(values, _attached(cluster, cluster.attachment)), _configuring(plan, cluster))


def id_of_istiod(plan: Plan, cluster: ClusterPlan) -> str:
    """The cluster ID that istiod uses; an external istiod uses the ID of its config cluster."""
    return plan.cluster(cluster.config_cluster).id if cluster.is_external and cluster.config_cluster else cluster.id


def _roots_at_once(plan: Plan, cluster: ClusterPlan) -> Values:
    """The values with which istiod accepts a new root at run time, and sends it to proxies that ask for it."""
    if not plan.fast_root_rotation:
        return {}
    asks = {"meshConfig": {"defaultConfig": {"proxyMetadata": {PROXIES_ASK: "true"}}}}
    return asks if cluster.attachment else {**asks, "pilot": {"env": {ISTIOD_SENDS: "true"}}}


ISTIOD_SENDS, PROXIES_ASK = "ISTIO_MULTIROOT_MESH", "PROXY_CONFIG_XDS_AGENT"
"""Istio's settings with which istiod sends roots like other configuration."""


def _external(plan: Plan, cluster: ClusterPlan) -> Values:
    """The values of an external istiod, which reads everything from its config cluster through a kubeconfig.

    Its own two ConfigMaps are therefore mounted. Without the kubeconfig, istiod would treat its own cluster as the
    config cluster. As the chart's volume for the kubeconfig is optional, a second volume makes the pod wait for it.
    """
    mounted = {
        "mesh-config": ({"configMap": {"name": config_map(cluster)}}, "/etc/istio/config"),
        "injection": ({"configMap": {"name": f"istio-sidecar-injector{_suffix(cluster)}"}}, "/var/lib/istio/inject"),
        "config-cluster": ({"secret": {"secretName": KUBECONFIG}}, "/var/run/secrets/config-cluster"),
    }
    https = cluster.exposure.https if cluster.exposure else None
    return {
        **(_called_by_host(https.hosts[0]) if https else {}),
        "global": {
            **({"caAddress": f"{https.hosts[0]}:15012"} if https else {}),
            "externalIstiod": True,
            # webhooks here would call an istiod of other clusters, and nothing would fill in their caBundle
            "operatorManageWebhooks": True,
            "configValidation": False,
        },
        "pilot": {
            "env": {
                "LOCAL_CLUSTER_SECRET_WATCHER": "true",  # istiod's own cluster has the remote secrets
                "SHARED_MESH_CONFIG": config_map(cluster),
                "ISTIOD_CUSTOM_HOST": cluster.injection_host,
                # API servers verify the gateway with their own roots, so no webhook needs a caBundle
                **(dict.fromkeys(PATCHED, "") if https else {}),
            },
            "volumes": [{"name": name, **source} for name, (source, _) in mounted.items()],
            "volumeMounts": [
                {"mountPath": path, "name": name, "readOnly": True} for name, (_, path) in mounted.items()
            ],
        },
    }


PATCHED = ("INJECTION_WEBHOOK_CONFIG_NAME", "VALIDATION_WEBHOOK_CONFIG_NAME")
"""Settings of istiod: the webhooks in which istiod fills in the caBundle; empty for none."""

ROOTS_OF_SIDECARS = ("XDS_ROOT_CA", "CA_ROOT_CA")
"""Settings of sidecars: the file with the roots with which they verify their control plane."""

_PUBLIC_ROOTS = "/etc/ssl/certs/ca-certificates.crt"


def _called_by_host(host: str) -> Values:
    """With these values, sidecars call a gateway by its host name, and verify its certificate with public roots."""
    metadata = dict.fromkeys(ROOTS_OF_SIDECARS, _PUBLIC_ROOTS)
    return {"meshConfig": {"defaultConfig": {"discoveryAddress": f"{host}:15012", "proxyMetadata": metadata}}}


def _configuring(plan: Plan, cluster: ClusterPlan) -> Values:
    """The values of a config cluster: rights for the external istiod's account, and its webhook for configuration."""
    if not cluster.holds_config:
        return {}
    return merged({"global": {"configCluster": True}, "pilot": {"configMap": True}}, validation(plan, cluster))


def validation(plan: Plan, cluster: ClusterPlan) -> Values:
    """The validation webhook: its URL, if API servers can't call a Service, and its failure policy.

    istiod sets failurePolicy to Fail when it starts to answer. With another rendered value, Flux would change it back
    at every interval.
    """
    url = cluster.attachment.injection_url if cluster.attachment and cluster.holds_config else None
    answered = cluster.attachment is None or cluster.holds_config
    closed = validation_fails_closed(plan) and bool(cluster.charts) and answered
    found = {"validationURL": f"{url.rstrip('/')}/validate" if url else None}
    found["validationFailurePolicy"] = "Fail" if closed else None
    return {"base": found} if any(found.values()) else {}


def validation_fails_closed(plan: Plan) -> bool:
    """True with Flux. Flux applies configuration in a separate step after istiod, so the webhook can already answer."""
    return plan.delivery is not None and plan.delivery.engine == "flux"


def config_map(cluster: ClusterPlan) -> str:
    """The name of istiod's ConfigMap; an external istiod's own cluster and its config cluster use the same name."""
    return f"istio{_suffix(cluster)}"


KUBECONFIG = "istio-kubeconfig"
"""The Secret with the kubeconfig of an external istiod's config cluster."""

MOUNTED = "istio-remote-kubeconfigs"
"""The Secret with the kubeconfigs of many clusters, which an istiod mounts."""

READS_FILES = "PILOT_MULTICLUSTER_KUBECONFIG_PATH"
"""istiod's setting: the folder of kubeconfigs that it reads instead of remote secrets."""

MOUNTED_AT = "/var/run/istio/remote-kubeconfigs"


def mounts_kubeconfigs(cluster: ClusterPlan) -> bool:
    """True if istiod reads the credentials of other clusters from mounted files; False if it is too old for that."""
    others = [name for name in cluster.watched if name != cluster.config_cluster]
    return bool(others) and cluster.remote_secrets != "separate" and cluster.istio.line >= FIRST_READING_FILES


def _mounting(cluster: ClusterPlan, values: Values) -> Values:
    """Adds the mounted kubeconfigs to the values. istiod also works with an empty folder, and reads later files in it.

    With `remoteSecrets: both`, the new pod waits for the Secret, and the old pod keeps running until then.
    """
    if not mounts_kubeconfigs(cluster):
        return values
    name = MOUNTED.removeprefix("istio-")
    secret = {"secretName": MOUNTED, **({"optional": True} if cluster.remote_secrets == "mounted" else {})}
    there = values.get("pilot") or {}
    pilot = {
        "env": {READS_FILES: MOUNTED_AT},
        "volumes": [*there.get("volumes", ()), {"name": name, "secret": secret}],
        "volumeMounts": [
            *there.get("volumeMounts", ()),
            {"mountPath": MOUNTED_AT, "name": name, "readOnly": True},
        ],
    }
    return merged(values, {"pilot": pilot})


def _attached(cluster: ClusterPlan, attachment: Attachment) -> Values:
    path = injection_path(cluster)
    url = attachment.injection_url
    return {
        "profile": "remote",
        "global": {
            "remotePilotAddress": None if attachment.https else attachment.addresses["istiod"],
            # the chart's only value for a remote without webhooks
            "operatorManageWebhooks": True if cluster.injection == "manual" else None,
        },
        "istiodRemote": {"injectionURL": url.rstrip("/") + path} if url else {"injectionPath": path},
    }


def injection_path(cluster: ClusterPlan) -> str:
    """The path of the injection webhook, which tells istiod the cluster and the network of the pod."""
    return f"/inject/cluster/{cluster.id}" + (f"/net/{cluster.network_label}" if cluster.network_label else "")


def _ambient(cluster: ClusterPlan) -> Values:
    """The values for ambient: the charts' profile, and a feature between networks that is off by default."""
    if cluster.ambient is None:
        return {}
    return {
        "profile": "ambient",
        "env": {"AMBIENT_ENABLE_MULTI_NETWORK": "true"} if cluster.ambient.network else None,
    }


def _trusted_ztunnel(plan: Plan, cluster: ClusterPlan) -> Values:
    """The values for a ztunnel account other than the default: istiod gives it certificates of other pods."""
    for one in cluster.charts:
        if one.chart == "ztunnel":
            name = one.values.get("resourceName")
            elsewhere = one.namespace != plan.istio_namespace
            return {
                "trustedZtunnelNamespace": one.namespace if elsewhere else None,
                "trustedZtunnelName": name if isinstance(name, str) else None,
            }
    return {}


def _suffix(cluster: ClusterPlan) -> str:
    return "" if cluster.revision == "default" else f"-{cluster.revision}"

"""Works out the values of chart istiod: of a primary, a remote, an external control plane, and with ambient."""

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
        # istiod then shares its root certificate with remotes, and patches their webhooks
        values = _mounting(cluster, merged(values, validation(plan, cluster)))
        return merged(values, {"global": {"externalIstiod": True}} if cluster.remotes else {})
    return merged(merged(values, _attached(cluster, cluster.attachment)), _configuring(plan, cluster))


def id_of_istiod(plan: Plan, cluster: ClusterPlan) -> str:
    """The cluster's ID that istiod goes by; an external one by that of the cluster whose configuration it reads."""
    return plan.cluster(cluster.config_cluster).id if cluster.is_external and cluster.config_cluster else cluster.id


def _roots_at_once(plan: Plan, cluster: ClusterPlan) -> Values:
    """What lets istiod take another root over at run time, and send it to proxies that ask for it."""
    if not plan.fast_root_rotation:
        return {}
    asks = {"meshConfig": {"defaultConfig": {"proxyMetadata": {PROXIES_ASK: "true"}}}}
    return asks if cluster.attachment else {**asks, "pilot": {"env": {ISTIOD_SENDS: "true"}}}


ISTIOD_SENDS, PROXIES_ASK = "ISTIO_MULTIROOT_MESH", "PROXY_CONFIG_XDS_AGENT"
"""Istio's settings for roots that are sent like other configuration."""


def _external(plan: Plan, cluster: ClusterPlan) -> Values:
    """What makes an istiod that of other clusters: all that it reads by its kubeconfig is the config cluster's.

    So the two ConfigMaps of its own are mounted. Without the kubeconfig it would take its own cluster for the other
    one, and the chart's volume of it is optional; a second one makes the pod wait.
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
            # webhooks of this cluster would ask an istiod that isn't its own, and nobody fills in their caBundle
            "operatorManageWebhooks": True,
            "configValidation": False,
        },
        "pilot": {
            "env": {
                "LOCAL_CLUSTER_SECRET_WATCHER": "true",  # remote secrets lie beside istiod, not in the config cluster
                "SHARED_MESH_CONFIG": config_map(cluster),
                "ISTIOD_CUSTOM_HOST": cluster.injection_host,
                # API servers know the gateway by roots of their own: no caBundle is to be filled in
                **(dict.fromkeys(PATCHED, "") if https else {}),
            },
            "volumes": [{"name": name, **source} for name, (source, _) in mounted.items()],
            "volumeMounts": [
                {"mountPath": path, "name": name, "readOnly": True} for name, (_, path) in mounted.items()
            ],
        },
    }


PATCHED = ("INJECTION_WEBHOOK_CONFIG_NAME", "VALIDATION_WEBHOOK_CONFIG_NAME")
"""Settings of istiod: the webhooks whose caBundle it fills in; empty for none."""

ROOTS_OF_SIDECARS = ("XDS_ROOT_CA", "CA_ROOT_CA")
"""Settings of sidecars: the file with the roots by which they know their control plane."""

_PUBLIC_ROOTS = "/etc/ssl/certs/ca-certificates.crt"


def _called_by_host(host: str) -> Values:
    """Sidecars that call a gateway with a certificate of its own, by its host, and know it by public roots."""
    metadata = dict.fromkeys(ROOTS_OF_SIDECARS, _PUBLIC_ROOTS)
    return {"meshConfig": {"defaultConfig": {"discoveryAddress": f"{host}:15012", "proxyMetadata": metadata}}}


def _configuring(plan: Plan, cluster: ClusterPlan) -> Values:
    """What lets an external istiod in: the rights of its account, and the webhook that asks it about configuration."""
    if not cluster.holds_config:
        return {}
    return merged({"global": {"configCluster": True}, "pilot": {"configMap": True}}, validation(plan, cluster))


def validation(plan: Plan, cluster: ClusterPlan) -> Values:
    """Where the API server asks whether configuration is valid, if no Service can be asked, and what if nobody answers.

    istiod turns failurePolicy to Fail once it answers. Flux would turn what is rendered here back at every interval.
    """
    url = cluster.attachment.injection_url if cluster.attachment and cluster.holds_config else None
    answered = cluster.attachment is None or cluster.holds_config
    closed = validation_fails_closed(plan) and bool(cluster.charts) and answered
    found = {"validationURL": f"{url.rstrip('/')}/validate" if url else None}
    found["validationFailurePolicy"] = "Fail" if closed else None
    return {"base": found} if any(found.values()) else {}


def validation_fails_closed(plan: Plan) -> bool:
    """Under Flux: it applies configuration after istiod, in a part of its own, so nothing is refused meanwhile."""
    return plan.delivery is not None and plan.delivery.engine == "flux"


def config_map(cluster: ClusterPlan) -> str:
    """The ConfigMap of istiod's own settings, of the same name in an external istiod's cluster and its config one."""
    return f"istio{_suffix(cluster)}"


KUBECONFIG = "istio-kubeconfig"
"""The Secret by which an external istiod reaches its config cluster."""

MOUNTED = "istio-remote-kubeconfigs"
"""The Secret with the kubeconfigs of many clusters, which an istiod mounts."""

READS_FILES = "PILOT_MULTICLUSTER_KUBECONFIG_PATH"
"""istiod's setting: the folder of kubeconfigs that it reads instead of remote secrets."""

MOUNTED_AT = "/var/run/istio/remote-kubeconfigs"


def mounts_kubeconfigs(cluster: ClusterPlan) -> bool:
    """Whether the istiod of a control plane reads its remotes from files; one that is too old goes on as before."""
    others = [name for name in cluster.watched if name != cluster.config_cluster]
    return bool(others) and cluster.remote_secrets != "separate" and cluster.istio.line >= FIRST_READING_FILES


def _mounting(cluster: ClusterPlan, values: Values) -> Values:
    """The values with the mounted kubeconfigs. istiod reads an empty folder, and what comes into it later.

    While the form changes the new pod waits for the Secret: until then the old one reads what it did before.
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
            # the chart has no other word for a remote without webhooks
            "operatorManageWebhooks": True if cluster.injection == "manual" else None,
        },
        "istiodRemote": {"injectionURL": url.rstrip("/") + path} if url else {"injectionPath": path},
    }


def injection_path(cluster: ClusterPlan) -> str:
    """Where istiod learns, in the request itself, for which cluster and network it injects."""
    return f"/inject/cluster/{cluster.id}" + (f"/net/{cluster.network_label}" if cluster.network_label else "")


def _ambient(cluster: ClusterPlan) -> Values:
    """The charts' own profile; between networks a feature that is off without this."""
    if cluster.ambient is None:
        return {}
    return {
        "profile": "ambient",
        "env": {"AMBIENT_ENABLE_MULTI_NETWORK": "true"} if cluster.ambient.network else None,
    }


def _trusted_ztunnel(plan: Plan, cluster: ClusterPlan) -> Values:
    """The account whose requests for other pods' certificates istiod grants, where it isn't the default one."""
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

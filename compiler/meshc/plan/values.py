"""Works out the Helm values of each chart of a cluster: what the mesh decides, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from meshc.kube import at
from meshc.mesh.charts import release_of
from meshc.mesh.east_west import RELEASE as EAST_WEST
from meshc.mesh.revisions import DEFAULT, FIRST_READING_FILES
from meshc.plan.charts import merged
from meshc.plan.gateway_values import east_west_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.ways import Attachment

Values = dict[str, Any]


def values_of(plan: Plan, cluster: ClusterPlan, chart: str, release: str, own: Mapping[str, Any]) -> Values:
    """The values that a chart is rendered with: the computed ones, the user's over them, then the chart's own."""
    given = installed(cluster, chart, release).values if chart in CONTROL_PLANE else {}
    return merged(merged(computed(plan, cluster, chart, release, own), given), own)


def computed(plan: Plan, cluster: ClusterPlan, chart: str, release: str, own: Mapping[str, Any]) -> Values:
    """What mesh.yaml decides of a chart's values. `own` are those that mesh.yaml gives this chart alone."""
    found = _COMPUTED[chart](plan, installed(cluster, chart, release))
    if asked := next((one.revision for one in cluster.charts if one.revision and one.release == release), ""):
        found["revision"] = asked
    if (chart, release) == ("gateway", EAST_WEST):
        found |= east_west_values(cluster, own)
    return _without_nothing(found)


def installed(cluster: ClusterPlan, chart: str, release: str) -> ClusterPlan:
    """The cluster as the one control plane that a release of chart istiod is of."""
    if chart != "istiod":
        return cluster
    return next((one for one in cluster.planes if release_of(chart, one.revision) == release), cluster)


def charts_in(plan: Plan, cluster: ClusterPlan) -> tuple[tuple[str, str, str, Mapping[str, Any]], ...]:
    """Chart, release, namespace and own values of all that a cluster is installed with, by meshc or by others."""
    if cluster.charts:
        return tuple((one.chart, one.release, one.namespace, one.values) for one in cluster.charts)
    if plan.generation == "classic":
        names: tuple[str, ...] = ("istio-remote",) if cluster.attachment else ("istio",)
    else:
        names = ("istiod",) if cluster.is_external else ("base", "istiod")
        names += ("cni", "ztunnel") if cluster.ambient else ()
        names += ("gateway",) if cluster.gateway and not cluster.is_external else ()
    revisions = {"istiod": [one.revision for one in cluster.planes]}
    return tuple(
        (name, release_of(name, revision), plan.istio_namespace, {})
        for name in names
        for revision in revisions.get(name, [cluster.revision])
    )


CONTROL_PLANE = ("istio", "istio-remote", "base", "istiod")
"""The charts that `istio.values` is for."""


def _base(plan: Plan, cluster: ClusterPlan) -> Values:
    # The validator of base asks the istiod of this revision; it is in every cluster under that name.
    default = cluster.revision_tags.get(DEFAULT, cluster.revision)
    values = {"global": {"istioNamespace": plan.istio_namespace}, "defaultRevision": default}
    return merged(values, _validation(plan, cluster))


def _istiod(plan: Plan, cluster: ClusterPlan) -> Values:
    values = {
        "global": {
            **_images(cluster),
            "istioNamespace": plan.istio_namespace,
            "meshID": plan.mesh_id,
            "multiCluster": {"clusterName": id_of_istiod(plan, cluster)},
            "network": cluster.network_label,
            "proxy": {"clusterDomain": _own_domain(plan)},
        },
        "meshConfig": {"trustDomain": plan.trust_domain, "trustDomainAliases": list(plan.trust_domain_aliases) or None},
        "pilot": {"cni": {"enabled": True}} if any(one.chart == "cni" for one in cluster.charts) else None,
        "revision": _revision(cluster),
        **_ambient(cluster),
        **_trusted_ztunnel(plan, cluster),
    }
    values = merged(values, _roots_at_once(plan, cluster))
    if cluster.is_external:
        return _mounting(cluster, merged(values, _external(plan, cluster)))
    if cluster.attachment is None:
        # istiod then shares its root certificate with remotes, and patches their webhooks
        values = _mounting(cluster, merged(values, _validation(plan, cluster)))
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
    return merged({"global": {"configCluster": True}, "pilot": {"configMap": True}}, _validation(plan, cluster))


def _validation(plan: Plan, cluster: ClusterPlan) -> Values:
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


def secrets_are_read(plan: Plan, remote: ClusterPlan) -> bool:
    """Whether some istiod reads Secrets of a remote, for the certificates of gateways there. A value ends that.

    Since Istio 1.31: PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER, istio/istio#59874.
    """
    readers = [plane for cluster in plan.clusters if remote.name in cluster.watched for plane in cluster.planes]
    return not readers or not all(map(_ignores_secrets_of_remotes, readers))


def _ignores_secrets_of_remotes(primary: ClusterPlan) -> bool:
    if primary.istio.line < _CAN_IGNORE_SECRETS:
        return False
    said = at(primary.values, "pilot", "env", _READS_SECRETS) or at(primary.values, "env", _READS_SECRETS)
    return str(said).lower() == "false"


_READS_SECRETS, _CAN_IGNORE_SECRETS = "PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER", (1, 31)


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


def _cni(plan: Plan, cluster: ClusterPlan) -> Values:
    return {"global": _images(cluster), "profile": "ambient" if cluster.ambient else None}


def _ztunnel(plan: Plan, cluster: ClusterPlan) -> Values:
    return {
        "hub": cluster.images.hub,
        "tag": cluster.images.tag,
        "variant": cluster.images.variant,
        "imagePullSecrets": _pull_secrets(cluster),
        "istioNamespace": plan.istio_namespace,
        "multiCluster": {"clusterName": cluster.id},
        "network": cluster.network_label,
        "revision": _revision(cluster),
        "env": {"CLUSTER_DOMAIN": _own_domain(plan)},  # by which it resolves names of Services
    }


def _own_domain(plan: Plan) -> str | None:
    """The domain of Services, where it isn't the one that charts have by themselves."""
    return None if plan.cluster_domain == CLUSTER_LOCAL else plan.cluster_domain


CLUSTER_LOCAL = "cluster.local"


def _gateway(plan: Plan, cluster: ClusterPlan) -> Values:
    pulls = [{"name": name} for name in cluster.images.pull_secrets]
    by_argo_cd = plan.delivery is not None and plan.delivery.engine == "argo-cd"
    return {
        # The image is "auto" until the webhook puts the right one there: a pod made before the webhook never gets it.
        "annotations": {"argocd.argoproj.io/sync-wave": "1"} if by_argo_cd else None,
        "imagePullSecrets": pulls or None,
        "revision": _revision(cluster),
    }


def _classic(plan: Plan, cluster: ClusterPlan) -> Values:
    """What the guide's example with mutual TLS sets in every cluster."""
    return {
        "global": {
            "hub": cluster.images.hub,
            "tag": cluster.images.full_tag,
            "imagePullSecrets": _pull_secrets(cluster),
            "mtls": {"enabled": plan.mutual_tls == "strict"},
            "controlPlaneSecurityEnabled": plan.control_plane_tls,
        },
        "security": {"selfSigned": plan.ca == "self-signed"},
        "sidecarInjectorWebhook": {"enabled": cluster.injection == "automatic"},
    }


def _classic_remote(plan: Plan, cluster: ClusterPlan) -> Values:
    """The guide's four addresses, and pilot's name where it is wanted."""
    attachment = cluster.attachment
    assert attachment is not None, "only remotes are rendered with istio-remote"  # noqa: S101
    addresses = attachment.addresses
    zipkin = addresses.get("zipkin")
    return merged(
        _classic(plan, cluster),
        {
            "global": {
                "remotePilotAddress": addresses["pilot"],
                "remotePolicyAddress": addresses.get("policy"),
                "remoteTelemetryAddress": addresses.get("telemetry"),
                "remoteZipkinAddress": zipkin,
                # the guide leaves it out, and sidecars send no traces: the injection template asks for this one
                "zipkinAddress": f"{zipkin}:9411" if zipkin else None,
                "remotePilotCreateSvcEndpoint": attachment.pilot_service,
            }
        },
    )


_COMPUTED: Mapping[str, Callable[[Plan, ClusterPlan], Values]] = {
    "base": _base,
    "istiod": _istiod,
    "cni": _cni,
    "ztunnel": _ztunnel,
    "gateway": _gateway,
    "istio": _classic,
    "istio-remote": _classic_remote,
}


def _images(cluster: ClusterPlan) -> Values:
    images = cluster.images
    pulls = _pull_secrets(cluster)
    return {"hub": images.hub, "tag": images.tag, "variant": images.variant, "imagePullSecrets": pulls}


def _pull_secrets(cluster: ClusterPlan) -> list[str] | None:
    return list(cluster.images.pull_secrets) or None


def _suffix(cluster: ClusterPlan) -> str:
    return "" if cluster.revision == "default" else f"-{cluster.revision}"


def _revision(cluster: ClusterPlan) -> str | None:
    return None if cluster.revision == "default" else cluster.revision


def _without_nothing(values: Mapping[str, Any]) -> Values:
    """The same without None, which to helm means "take the default away", and without mappings that hold nothing."""
    kept = {key: _without_nothing(value) if isinstance(value, Mapping) else value for key, value in values.items()}
    return {key: value for key, value in kept.items() if value is not None and value != {}}

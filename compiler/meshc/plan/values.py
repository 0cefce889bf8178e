"""Works out the Helm values of each chart of a cluster: what the mesh decides, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from meshc.mesh.charts import release_of
from meshc.mesh.east_west import RELEASE as EAST_WEST
from meshc.mesh.revisions import DEFAULT
from meshc.plan.charts import merged
from meshc.plan.gateway_values import east_west_values
from meshc.plan.istiod_values import istiod_values, validation
from meshc.plan.shared_values import Values, images, own_domain, pull_secrets, revision_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshc.plan.ir import ClusterPlan, Plan


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
    return merged(values, validation(plan, cluster))


def _cni(plan: Plan, cluster: ClusterPlan) -> Values:
    return {"global": images(cluster), "profile": "ambient" if cluster.ambient else None}


def _ztunnel(plan: Plan, cluster: ClusterPlan) -> Values:
    return {
        "hub": cluster.images.hub,
        "tag": cluster.images.tag,
        "variant": cluster.images.variant,
        "imagePullSecrets": pull_secrets(cluster),
        "istioNamespace": plan.istio_namespace,
        "multiCluster": {"clusterName": cluster.id},
        "network": cluster.network_label,
        "revision": revision_of(cluster),
        "env": {"CLUSTER_DOMAIN": own_domain(plan)},  # by which it resolves names of Services
    }


def _gateway(plan: Plan, cluster: ClusterPlan) -> Values:
    pulls = [{"name": name} for name in cluster.images.pull_secrets]
    by_argo_cd = plan.delivery is not None and plan.delivery.engine == "argo-cd"
    return {
        # The image is "auto" until the webhook puts the right one there: a pod made before the webhook never gets it.
        "annotations": {"argocd.argoproj.io/sync-wave": "1"} if by_argo_cd else None,
        "imagePullSecrets": pulls or None,
        "revision": revision_of(cluster),
    }


def _classic(plan: Plan, cluster: ClusterPlan) -> Values:
    """What the guide's example with mutual TLS sets in every cluster."""
    return {
        "global": {
            "hub": cluster.images.hub,
            "tag": cluster.images.full_tag,
            "imagePullSecrets": pull_secrets(cluster),
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
    "istiod": istiod_values,
    "cni": _cni,
    "ztunnel": _ztunnel,
    "gateway": _gateway,
    "istio": _classic,
    "istio-remote": _classic_remote,
}


def _without_nothing(values: Mapping[str, Any]) -> Values:
    """The same without None, which to helm means "take the default away", and without mappings that hold nothing."""
    kept = {key: _without_nothing(value) if isinstance(value, Mapping) else value for key, value in values.items()}
    return {key: value for key, value in kept.items() if value is not None and value != {}}

"""Computes the Helm values of each chart of a cluster from the plan."""

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
    """The values to render a chart with: the chart's own over the user's, and those over the computed values."""
    given = installed(cluster, chart, release).values if chart in CONTROL_PLANE else {}
    return merged(merged(computed(plan, cluster, chart, release, own), given), own)


def computed(plan: Plan, cluster: ClusterPlan, chart: str, release: str, own: Mapping[str, Any]) -> Values:
    """The values of a chart that mesh.yaml decides. `own` has the values in mesh.yaml for this chart alone."""
    found = _COMPUTED[chart](plan, installed(cluster, chart, release))
    if asked := next((one.revision for one in cluster.charts if one.revision and one.release == release), ""):
        found["revision"] = asked
    if (chart, release) == ("gateway", EAST_WEST):
        found |= east_west_values(cluster, own)
    return _without_nothing(found)


def installed(cluster: ClusterPlan, chart: str, release: str) -> ClusterPlan:
    """The cluster with only the control plane that a release of chart istiod installs."""
    if chart != "istiod":
        return cluster
    return next((one for one in cluster.planes if release_of(chart, one.revision) == release), cluster)


def charts_in(plan: Plan, cluster: ClusterPlan) -> tuple[tuple[str, str, str, Mapping[str, Any]], ...]:
    """The chart, release, namespace and own values of everything in a cluster, no matter who installs it."""
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
"""The charts that get `istio.values`."""


def _base(plan: Plan, cluster: ClusterPlan) -> Values:
    # The validation webhook of chart base calls the istiod of this revision.
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
        "env": {"CLUSTER_DOMAIN": own_domain(plan)},  # the domain of Services
    }


def _gateway(plan: Plan, cluster: ClusterPlan) -> Values:
    pulls = [{"name": name} for name in cluster.images.pull_secrets]
    by_argo_cd = plan.delivery is not None and plan.delivery.engine == "argo-cd"
    return {
        # The webhook replaces the image "auto" in new pods, so the webhook must be there before the pods.
        "annotations": {"argocd.argoproj.io/sync-wave": "1"} if by_argo_cd else None,
        "imagePullSecrets": pulls or None,
        "revision": revision_of(cluster),
    }


def _classic(plan: Plan, cluster: ClusterPlan) -> Values:
    """The values for every cluster in the example with mutual TLS of Istio 1.0's guide."""
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
    """The guide's four addresses, and the Service and Endpoints istio-pilot if needed."""
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
                # the guide lacks this value, but without it sidecars send no traces: the injection template reads it
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
    """The values without None, with which helm would delete a default, and without empty mappings."""
    kept = {key: _without_nothing(value) if isinstance(value, Mapping) else value for key, value in values.items()}
    return {key: value for key, value in kept.items() if value is not None and value != {}}

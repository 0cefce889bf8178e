"""Functions that check whether a Helm value agrees with the plan. Each gets the plan, a cluster and the value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan


def never(_plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return is_off(value)


def on(_plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return str(value).lower() != "false"


def is_off(value: Any) -> bool:
    return value in (None, "", False, {}, [], ()) or str(value).lower() == "false"


def no_revision(_plan: Plan, cluster: ClusterPlan, value: Any) -> bool:
    return bool(cluster.revision == "default" and value in ("", "default"))


def kind_of_primary(_plan: Plan, cluster: ClusterPlan, value: Any) -> bool:
    if cluster.attachment:
        return bool(value == "remote")
    return bool(value != "remote" and (cluster.ambient is not None or "ambient" not in str(value)))


def root_namespace(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return value in ("", plan.istio_namespace)


def is_trust_domain(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return value in ("", plan.trust_domain)


def is_alias(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return is_off(value) and not plan.trust_domain_aliases


def is_domain(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return value in ("", plan.cluster_domain)


def is_id(plan: Plan, cluster: ClusterPlan, value: Any) -> bool:
    holder = cluster.config_cluster if cluster.is_external else None
    return bool(value == (plan.cluster(holder).id if holder else cluster.id))


def is_network(_plan: Plan, cluster: ClusterPlan, value: Any) -> bool:
    return value in ("", cluster.network_label)


def is_mesh(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return value in ("", plan.mesh_id)


def external_ca(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return plan.ca == "external" or value in ("", "Citadel")


def signs(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return plan.ca == "external" or str(value).lower() != "false"


def of_istiod(plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return plan.ca == "external" or value in ("", "istiod")


def ambient_only(_plan: Plan, cluster: ClusterPlan, value: Any) -> bool:
    return cluster.ambient is not None or is_off(value)


def external_only(_plan: Plan, cluster: ClusterPlan, value: Any) -> bool:
    return cluster.is_external or is_off(value)


def no_fixed_options(_plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    fixed = ("--clusterRegistriesNamespace", "--meshConfig", "--networksConfig", "--registries", "--clusterAliases")
    return not any(str(one).split("=")[0] in fixed for one in (value if isinstance(value, list | tuple) else ()))


def needed_crds(_plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    needed = {"peerauthentications.security.istio.io", "gateways.networking.istio.io"}
    needed |= {"virtualservices.networking.istio.io", "destinationrules.networking.istio.io"}
    return not needed & {str(one) for one in (value if isinstance(value, list | tuple) else ())}


def remotes_ask_mixer(plan: Plan, cluster: ClusterPlan) -> bool:
    attachments = [plan.cluster(name).attachment for name in cluster.remotes]
    return any(one is not None and {"policy", "telemetry"} & one.addresses.keys() for one in attachments)


def is_cluster_local(_plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    return value in ("", "cluster.local")

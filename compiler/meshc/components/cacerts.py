"""The need for the Secret `cacerts`: the intermediate CA with which a cluster's Citadel or istiod signs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc.components.contract import PRUNE_PROTECTION
from meshc.plan.needs import SecretNeed

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan

PUBLIC = ("ca-cert.pem", "cert-chain.pem", "root-cert.pem")


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[SecretNeed]:
    """The need. The Secret is protected from pruning, since istiod without cacerts signs with a root of its own."""
    if cluster.cacerts != "none":
        yield SecretNeed(
            cluster=cluster.name,
            kind="cacerts",
            file=f"{cluster.name}/cacerts.yaml",
            namespace=plan.istio_namespace,
            name="cacerts",
            keys=("ca-key.pem",),
            public=PUBLIC,
            as_tls=plan.generation.reads_tls_secrets,
            added=PRUNE_PROTECTION,
            required=cluster.cacerts == "required",
            recipients=cluster.sealing.recipients,
            binding="required" if plan.require_binding else "wanted",
        )

"""Decides the namespaces of a cluster, with the labels that Istio reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc.mesh.revisions import DEFAULT, asked_without_a_word
from meshc.mesh.selecting import selects
from meshc.plan.ir import NamespacePlan

if TYPE_CHECKING:
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.model import Namespace

INJECTION = "istio-injection"
REVISION = "istio.io/rev"
AMBIENT = "istio.io/dataplane-mode"
NETWORK = "topology.istio.io/network"
CONTROL_PLANE_CLUSTERS = "topology.istio.io/controlPlaneClusters"


def namespaces(fleet: Fleet, member: Member, copied: Iterable[str]) -> Iterable[NamespacePlan]:
    """Istio's own namespace, then the namespaces of copies and those in mesh.yaml, sorted by name."""
    spec = fleet.mesh.spec
    yield NamespacePlan(spec.istio.namespace, *_istio_namespace(fleet, member))
    unmanaged = {n.name for n in spec.namespaces if not n.managed}
    wanted: dict[str, NamespacePlan] = {}
    listed = {one.name: one for one in spec.namespaces if one.managed and member not in fleet.external}
    for name in copied:
        if name not in unmanaged and name != spec.istio.namespace:
            said = listed.get(name)
            wanted[name] = NamespacePlan(name, said.labels if said else {}, said.annotations if said else {})
    for one in listed.values():
        if selects(one.clusters, member.cluster):
            labels = {**one.labels, **_dataplane(fleet, member, one)}
            wanted[one.name] = NamespacePlan(one.name, labels, one.annotations)
    yield from (wanted[name] for name in sorted(wanted))


def _istio_namespace(fleet: Fleet, member: Member) -> tuple[dict[str, str], dict[str, str]]:
    """Labels and annotations of Istio's namespace. The annotation names the istiod by the ID of its cluster.

    An external istiod has the ID of its config cluster. The config cluster itself needs no annotation, as istiod
    treats it as its own cluster.
    """
    if not fleet.generation.reads_its_namespace:
        return {}, {}
    network, primary = fleet.label_of(member), fleet.primary_of(member)
    labels = {NETWORK: network} if network else {}
    holder = fleet.config_cluster_of(member) or primary
    if member.cluster.role != "remote" or holder is None or holder is member:
        return labels, {}
    return labels, {CONTROL_PLANE_CLUSTERS: holder.id}


def _dataplane(fleet: Fleet, member: Member, namespace: Namespace) -> dict[str, str]:
    if namespace.dataplane == "sidecar":
        return _injection(fleet, member, namespace.revision)
    return {AMBIENT: "ambient"} if namespace.dataplane == "ambient" else {}


def _injection(fleet: Fleet, member: Member, said: str | None) -> dict[str, str]:
    """One of the two labels for injection: Istio's webhooks select no namespace that has both."""
    if member.cluster.sidecar_injection == "manual":
        return {}
    asked = said or asked_without_a_word(fleet, member)
    return {REVISION: asked} if fleet.generation.has_revisions and asked != DEFAULT else {INJECTION: "enabled"}

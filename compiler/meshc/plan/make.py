"""Makes the `Plan` from the fleet, its exports and the user's files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from meshc import codes
from meshc.mesh.model import Flux
from meshc.mesh.revisions import planes, tags_of
from meshc.mesh.selecting import selects
from meshc.plan import reach
from meshc.plan.charts import charts_of, given_values
from meshc.plan.copies import share
from meshc.plan.delivered import Delivery, FluxPlan, PublishPlan
from meshc.plan.ir import ClusterPlan, Images, Plan, RevisionPlan, Sealing, StorePlan
from meshc.plan.namespaces import namespaces
from meshc.plan.offers import ServiceBase, ServiceCopy
from meshc.plan.user_files import components, patches, resources
from meshc.sealedtext import spelled

if TYPE_CHECKING:
    from meshc.mesh.exports import Export
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.inputs import Inputs
    from meshc.mesh.model import Delivery as DeliveryModel
    from meshc.mesh.source import Source

UNPLANNABLE = frozenset(
    {
        codes.DUPLICATE_CLUSTER,
        codes.NO_PRIMARY,
        codes.WRONG_PRIMARY,
        codes.ISTIO_UNSUPPORTED,
        codes.MIXED_GENERATIONS,
        codes.ADDRESS_MISSING,
        codes.NO_CONFIG_CLUSTER,
        codes.WRONG_CONFIG_CLUSTER,
        codes.EXTERNAL_BESIDE_OTHERS,
        codes.DUPLICATE_ENTRY,
        codes.DUPLICATE_SERVICE,
    }
)
"""Problems that make a plan impossible. With any other problem, the plan is still made and checked, to report more."""


def make_plan(fleet: Fleet, source: Source, exports: Sequence[Export], inputs: Inputs) -> Plan:
    """The plan of a mesh that passed the checks. Writes nothing."""
    mesh, spec = fleet.mesh, fleet.mesh.spec
    bases, copies = share(fleet, exports)
    held: dict[str, list[ServiceBase]] = {}
    for base in bases:
        for name in base.clients:
            held.setdefault(name, []).append(base)
    return Plan(
        mesh=mesh.metadata.name,
        generation=fleet.generation,
        istio_namespace=spec.istio.namespace,
        trust_domain=spec.istio.trust_domain,
        trust_domain_aliases=spec.istio.trust_domain_aliases,
        cluster_domain=spec.istio.cluster_domain,
        mesh_id=spec.istio.mesh_id or mesh.metadata.name,
        mutual_tls=spec.security.mutual_tls,
        control_plane_tls=reach.control_plane_tls(fleet),
        ca=spec.security.ca.type,
        fast_root_rotation=spec.security.ca.fast_root_rotation,
        certificates=spec.security.ca.directory,
        sealed=spec.security.secrets.directory,
        require_binding=spec.security.secrets.require_binding,
        networks=reach.networks(fleet),
        clusters=tuple(
            _cluster(fleet, source, member, (held.get(member.name, ()), copies.get(member.name, ())), inputs)
            for member in fleet
        ),
        bases=bases,
        delivery=_delivery(fleet, source),
    )


def _cluster(
    fleet: Fleet,
    source: Source,
    member: Member,
    served: tuple[Sequence[ServiceBase], Sequence[ServiceCopy]],
    inputs: Inputs,
) -> ClusterPlan:
    cluster, (bases, copies) = member.cluster, served
    kubernetes, primary = fleet.kubernetes_of(member), cluster.role != "remote"
    holder = fleet.config_cluster_of(member)
    copied = {copy.namespace for base in bases for copy in base.copies} | {copy.namespace for copy in copies}
    return ClusterPlan(
        name=member.name,
        id=member.id,
        place=source.document.place(member.path("name")),
        role=cluster.role,
        labels=cluster.labels,
        kubernetes=kubernetes,
        istio=fleet.version_of(member),
        revision=fleet.revision_of(member),
        network=fleet.network_of(member),
        network_label=fleet.label_of(member),
        injection=cluster.sidecar_injection or "automatic",
        attachment=None if primary else reach.attachment(fleet, member),
        config_cluster=holder.name if holder else None,
        remote_secrets=fleet.remote_secrets_of(member),
        remotes=reach.remotes(fleet, member) if primary else (),
        watched=reach.watched(fleet, member) if primary else (),
        exposure=reach.exposure(fleet, member) if primary else None,
        gateway=reach.gateway(fleet, member),
        ambient=reach.ambient(fleet, member),
        cacerts=_cacerts(fleet, member),
        injection_host=reach.injection_host(member),
        delivered_by=_delivered_by(fleet, member),
        api_server=cluster.api_server,
        sealing=_sealing(fleet, member),
        namespaces=tuple(namespaces(fleet, member, copied)),
        unmanaged=tuple(
            one.name
            for one in fleet.mesh.spec.namespaces
            if not one.managed and (selects(one.clusters, cluster) or one.name in copied)
        ),
        bases=tuple(base.name for base in bases),
        copies=tuple(copies),
        patches=patches(member, source, inputs),
        resources=resources(member, inputs),
        components=components(member, source, inputs),
        images=_images(fleet, member),
        charts=charts_of(fleet, source, member, inputs),
        values=given_values(fleet, member),
        control_planes=tuple(_further(fleet, plane) for plane in planes(fleet, member)[1:]),
        revision_tags={tag: revision for tag, (revision, _) in sorted(tags_of(fleet, member).items())},
    )


def _further(fleet: Fleet, plane: Member) -> RevisionPlan:
    primary = plane.cluster.role != "remote"
    return RevisionPlan(
        revision=fleet.revision_of(plane),
        istio=fleet.version_of(plane),
        images=_images(fleet, plane),
        attachment=None if primary else reach.attachment(fleet, plane),
        exposure=reach.exposure(fleet, plane) if primary else None,
        values=given_values(fleet, plane),
    )


def _images(fleet: Fleet, member: Member) -> Images:
    own, of_mesh = member.cluster.istio.images, fleet.mesh.spec.istio.images
    pulls = of_mesh.pull_secrets if own.pull_secrets is None else own.pull_secrets
    return Images(own.hub or of_mesh.hub, fleet.tag_of(member), fleet.variant_of(member), pulls)


def _cacerts(fleet: Fleet, member: Member) -> Literal["required", "if-present", "none"]:
    """Classic Istio has a Citadel in every cluster. With istiod only control planes sign; remotes need no cacerts."""
    if fleet.mesh.spec.security.ca.type != "plugged-in":
        return "none"
    signs = fleet.generation.signs_in_remotes or member.cluster.role != "remote"
    return "required" if signs else "if-present"


def _sealing(fleet: Fleet, member: Member) -> Sealing:
    """The mesh's and the cluster's recipients together; a cluster's backend, store and scope override the mesh's."""
    whole, own = fleet.mesh.spec.security.secrets, member.cluster.secrets
    store = own.store or whole.store
    return Sealing(
        own.backend or whole.backend,
        tuple(sorted({spelled(one) for one in (*whole.recipients, *own.recipients)})),
        StorePlan(store.kind, store.name, store.key) if store else None,
        own.scope or whole.scope,
    )


def _delivery(fleet: Fleet, source: Source) -> Delivery | None:
    delivery = fleet.mesh.spec.delivery
    if delivery is None:
        return None
    by_flux = delivery.engine == "flux"
    return Delivery(
        engine=delivery.engine,
        place=source.document.place(("spec", "delivery", "engine")),
        path_place=source.document.place(("spec", "delivery", "path")),
        repo_url=delivery.repo_url,
        revision=delivery.revision,
        path=delivery.path,
        namespace=delivery.namespace or ("flux-system" if by_flux else "argocd"),
        runs_in=delivery.runs_in,
        project=None if by_flux else delivery.project or "default",
        signature_keys=tuple(sorted({one[-_KEY_ID:].upper() for one in delivery.signature_keys})),
        flux=_flux(delivery.flux or Flux(), fleet.mesh.metadata.name) if by_flux else None,
        publish=_publish(delivery, source),
    )


def _publish(delivery: DeliveryModel, source: Source) -> PublishPlan | None:
    said = delivery.publish
    if said is None:
        return None
    place = source.document.place(("spec", "delivery", "publish"))
    return PublishPlan(place, said.repo, said.branch or delivery.revision, said.path, said.push)


_KEY_ID = 16
"""The length of a PGP key ID in Argo CD: the last 16 digits of the fingerprint."""


def _delivered_by(fleet: Fleet, member: Member) -> str:
    delivery, own = fleet.mesh.spec.delivery, member.cluster.delivery
    if delivery is None or delivery.runs_in == member.name:
        return ""
    if delivery.engine == "argo-cd":
        return (own and own.cluster) or member.name
    flux = delivery.flux or Flux()
    if flux.mode == "each":
        return ""
    return (own and own.kube_config_secret) or flux.kube_config_secret.replace("{cluster}", member.name)


def _flux(flux: Flux, mesh: str) -> FluxPlan:
    return FluxPlan(
        mode=flux.mode,
        source=flux.source or mesh,
        source_secret=flux.source_secret,
        verify_secret=flux.verify_secret,
        kube_config_secret=flux.kube_config_secret,
        decryption_secret=flux.decryption_secret,
        interval=flux.interval,
    )

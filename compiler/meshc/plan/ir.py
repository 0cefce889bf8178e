"""The plan: all decisions about the mesh, for each cluster. Later steps read the plan and not mesh.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from meshc.errors import Place
from meshc.generation import Generation
from meshc.kube import Version
from meshc.plan.delivered import Delivery
from meshc.plan.files import ComponentPlan, PatchPlan, UserFile
from meshc.plan.offers import ServiceBase, ServiceCopy
from meshc.plan.ways import AmbientPlan, Attachment, Exposure, GatewayPlan, NetworkPlan
from meshc.sealedtext import service_of


@dataclass(frozen=True, slots=True)
class Images:
    """The source of Istio's images, with the final tag."""

    hub: str
    tag: str
    variant: str | None
    pull_secrets: tuple[str, ...]

    @property
    def full_tag(self) -> str:
        """The tag with the variant, as in the registry."""
        return f"{self.tag}-{self.variant}" if self.variant else self.tag


@dataclass(frozen=True, slots=True)
class NamespacePlan:
    """A Namespace object of one cluster."""

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StorePlan:
    """A store of an External Secrets operator. `key` is a path in which {mesh}, {cluster} and {secret} are replaced."""

    kind: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Sealing:
    """How secrets for a cluster are sealed. `recipients` are normalized, sorted and unique."""

    backend: Literal["sops", "sealed-secrets", "external-secrets"]
    recipients: tuple[str, ...]
    store: StorePlan | None
    scope: Literal["strict", "namespace-wide"]

    @property
    def age(self) -> tuple[str, ...]:
        """The age recipients, for which meshc itself seals."""
        return tuple(one for one in self.recipients if service_of(one) == "age")

    @property
    def others(self) -> tuple[str, ...]:
        """The recipients with keys in PGP, KMS or Vault. sops adds them to the sealed file."""
        return tuple(one for one in self.recipients if service_of(one) != "age")

    @property
    def in_store(self) -> bool:
        """True if the secret values are in a store, and the sealed file only names them."""
        return self.backend == "external-secrets"


@dataclass(frozen=True, slots=True)
class ChartPlan:
    """A chart that meshc renders for a cluster. `values` are the values in mesh.yaml for this chart alone.

    The digest is empty if the chart wasn't read.
    """

    chart: str
    digest: str
    release: str
    namespace: str
    values: Mapping[str, Any]
    place: Place
    version: Version
    revision: str
    """For a gateway: the revision or tag that injects its pods; empty for the cluster's own revision."""


@dataclass(frozen=True, slots=True)
class RevisionPlan:
    """A further control plane of a cluster: the settings that differ from those of the cluster's own."""

    revision: str
    istio: Version
    images: Images
    attachment: Attachment | None
    exposure: Exposure | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """One cluster with all its settings.

    * `id` is the cluster's ID in Istio, and `network_label` the label of its network in Istio. Folders, files and
      messages use `name`.
    * `remotes` are the clusters that a primary controls; `watched` are the clusters that it has credentials for.
    * `config_cluster` is the cluster with the configuration of an external control plane.
    * `injection_host` is the host in a control plane's injectionURL, which istiod's certificate must include.
    * `cacerts` is `required` if a CA in the cluster signs with this Secret. With `if-present`, the Secret is only
      placed if it was sealed.
    """

    name: str
    id: str
    place: Place
    role: Literal["primary", "remote", "external-control-plane"]
    labels: Mapping[str, str]
    """The cluster's labels in mesh.yaml, by which commands select clusters."""
    kubernetes: Version
    istio: Version
    revision: str
    network: str | None
    network_label: str | None
    injection: Literal["automatic", "manual"]
    attachment: Attachment | None
    config_cluster: str | None
    remote_secrets: Literal["separate", "both", "mounted"]
    """How its istiod gets credentials of other clusters: from Secrets that it watches, or from one mounted Secret."""
    remotes: tuple[str, ...]
    watched: tuple[str, ...]
    exposure: Exposure | None
    gateway: GatewayPlan | None
    ambient: AmbientPlan | None
    cacerts: Literal["required", "if-present", "none"]
    injection_host: str | None
    delivered_by: str
    """Argo CD: the cluster's name there. Flux, mode hub: the Secret with its kubeconfig. Otherwise empty."""
    api_server: str | None
    sealing: Sealing
    namespaces: tuple[NamespacePlan, ...]
    unmanaged: tuple[str, ...]
    """Namespaces of the mesh in this cluster that others create."""
    bases: tuple[str, ...]
    copies: tuple[ServiceCopy, ...]
    patches: tuple[PatchPlan, ...]
    resources: tuple[UserFile, ...]
    components: tuple[ComponentPlan, ...]
    images: Images
    charts: tuple[ChartPlan, ...]
    values: Mapping[str, Any]
    """The user's Helm values, for the charts of the control plane."""
    control_planes: tuple[RevisionPlan, ...]
    """The control planes of other revisions in this cluster, or that this remote also uses."""
    revision_tags: Mapping[str, str]
    """Revision tags, each with its revision."""

    @property
    def planes(self) -> tuple[ClusterPlan, ...]:
        """The cluster once for each of its control planes, as if it had only that one; its own is first."""
        return (self, *(self._as(one) for one in self.control_planes))

    def plane(self, revision: str) -> ClusterPlan | None:
        """The cluster with only the control plane of one revision; None if it has no such control plane."""
        return next((one for one in self.planes if one.revision == revision), None)

    def _as(self, one: RevisionPlan) -> ClusterPlan:
        own = {name: getattr(one, name) for name in RevisionPlan.__dataclass_fields__}
        return replace(self, **own, control_planes=())

    @property
    def is_external(self) -> bool:
        """True if the cluster runs the control plane of other clusters, and no pods of the mesh."""
        return self.role == "external-control-plane"

    @property
    def holds_config(self) -> bool:
        """True if the cluster's own istiod, or an external istiod, reads Istio's configuration from this cluster."""
        return self.role == "primary" or self.config_cluster == self.name


@dataclass(frozen=True)
class Plan:
    """The whole mesh."""

    mesh: str
    generation: Generation
    istio_namespace: str
    trust_domain: str
    trust_domain_aliases: tuple[str, ...]
    cluster_domain: str
    mesh_id: str
    mutual_tls: Literal["strict", "permissive", "disabled"]
    control_plane_tls: bool
    ca: Literal["plugged-in", "self-signed", "external"]
    fast_root_rotation: bool
    """True if sidecars and gateways get a new root at once."""
    certificates: str
    """The folder of public certificates."""
    sealed: str
    """The folder of sealed files."""
    require_binding: bool
    networks: tuple[NetworkPlan, ...]
    clusters: tuple[ClusterPlan, ...]
    bases: tuple[ServiceBase, ...]
    delivery: Delivery | None

    def cluster(self, name: str) -> ClusterPlan:
        """The cluster of that name. Raises KeyError."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> Mapping[str, ClusterPlan]:
        return {cluster.name: cluster for cluster in reversed(self.clusters)}

    @cached_property
    def planes_watching(self) -> Mapping[str, tuple[ClusterPlan, ...]]:
        """The control planes that watch each cluster, by the cluster's name, each as `ClusterPlan.planes` has it."""
        found: dict[str, list[ClusterPlan]] = {}
        for cluster in self.clusters:
            for name in cluster.watched:
                found.setdefault(name, []).extend(cluster.planes)
        return {name: tuple(planes) for name, planes in found.items()}

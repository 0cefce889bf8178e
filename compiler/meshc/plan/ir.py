"""The plan: what the mesh means, cluster by cluster. The rooms after this one don't read mesh.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from meshc.errors import Place
from meshc.generation import Generation
from meshc.kube import Version
from meshc.plan.delivered import Delivery
from meshc.plan.files import ComponentPlan, PatchPlan, UserFile
from meshc.plan.offers import ServiceBase, ServiceCopy
from meshc.plan.ways import AmbientPlan, Attachment, Door, Exposure, GatewayPlan, NetworkPlan
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
        """The tag with the variant, as the registry has it."""
        return f"{self.tag}-{self.variant}" if self.variant else self.tag


@dataclass(frozen=True, slots=True)
class NamespacePlan:
    """A Namespace object of one cluster."""

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StorePlan:
    """A store of an External Secrets operator; `key` is a path with {mesh}, {cluster} and {secret} to fill in."""

    kind: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Sealing:
    """How secrets that are applied in a cluster are sealed. `recipients` are sorted, each once, as compared."""

    backend: Literal["sops", "sealed-secrets", "external-secrets"]
    recipients: tuple[str, ...]
    store: StorePlan | None
    scope: Literal["strict", "namespace-wide"]

    @property
    def age(self) -> tuple[str, ...]:
        """The recipients that meshc itself seals for."""
        return tuple(one for one in self.recipients if service_of(one) == "age")

    @property
    def others(self) -> tuple[str, ...]:
        """Those whose keys are elsewhere: sops adds them to what is sealed."""
        return tuple(one for one in self.recipients if service_of(one) != "age")

    @property
    def in_store(self) -> bool:
        """Whether the values lie in a store, and the file only names them."""
        return self.backend == "external-secrets"


@dataclass(frozen=True, slots=True)
class ChartPlan:
    """A chart that a cluster is rendered with. `values` are those that mesh.yaml gives this chart alone.

    The digest is empty where the chart wasn't read.
    """

    chart: str
    digest: str
    release: str
    namespace: str
    values: Mapping[str, Any]
    place: Place
    version: Version
    revision: str
    """Of a gateway: the revision or tag whose istiod injects its pods; empty for the cluster's own."""


@dataclass(frozen=True, slots=True)
class RevisionPlan:
    """A further control plane of a cluster: what differs from the cluster's own."""

    revision: str
    istio: Version
    images: Images
    attachment: Attachment | None
    exposure: Exposure | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """One cluster, every setting decided.

    `id` is what Istio knows the cluster by; whatever else is called after the cluster has its `name`. `network_label`
    is what Istio knows its network by.
    `remotes` are the clusters that a primary controls, `watched` those that it holds credentials of. `config_cluster`
    holds the configuration of its control plane, where that is an external one. `injection_host` is the host in a
    control plane's injectionURL, which istiod's certificate has to name. `cacerts` tells
    whether a CA runs here that signs with the Secret of that name (`required`), or it is only placed where it was
    sealed (`if-present`).
    """

    name: str
    id: str
    place: Place
    role: Literal["primary", "remote", "external-control-plane"]
    labels: Mapping[str, str]
    """Labels that mesh.yaml gives the cluster, by which commands choose."""
    kubernetes: Version
    istio: Version
    revision: str
    network: str | None
    network_label: str | None
    injection: Literal["automatic", "manual"]
    attachment: Attachment | None
    config_cluster: str | None
    remote_secrets: Literal["separate", "both", "mounted"]
    """How its istiod gets the credentials of other clusters: by Secrets that it watches, or by one that it mounts."""
    remotes: tuple[str, ...]
    watched: tuple[str, ...]
    exposure: Exposure | None
    gateway: GatewayPlan | None
    ambient: AmbientPlan | None
    cacerts: Literal["required", "if-present", "none"]
    injection_host: str | None
    delivered_by: str
    """Argo CD: the cluster's name there. Flux on a hub: the Secret with its kubeconfig. Else empty."""
    api_server: str | None
    sealing: Sealing
    namespaces: tuple[NamespacePlan, ...]
    unmanaged: tuple[str, ...]
    """Namespaces of the mesh that somebody else creates here."""
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
    """Revision tags, and the revision that each leads to."""

    @property
    def planes(self) -> tuple[ClusterPlan, ...]:
        """The cluster once for each control plane, as if that were its only one; its own comes first."""
        return (self, *(self._as(one) for one in self.control_planes))

    def plane(self, revision: str) -> ClusterPlan | None:
        """The cluster as that of one revision; None where it has no control plane of it."""
        return next((one for one in self.planes if one.revision == revision), None)

    def _as(self, one: RevisionPlan) -> ClusterPlan:
        own = {name: getattr(one, name) for name in RevisionPlan.__dataclass_fields__}
        return replace(self, **own, control_planes=())

    @property
    def is_external(self) -> bool:
        """Whether it runs the control plane of other clusters, and no pods of the mesh."""
        return self.role == "external-control-plane"

    @property
    def holds_config(self) -> bool:
        """Whether an istiod reads Istio's configuration here: its own cluster's, or an external one's."""
        return self.role == "primary" or self.config_cluster == self.name


@dataclass(frozen=True, slots=True)
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
        for cluster in self.clusters:
            if cluster.name == name:
                return cluster
        raise KeyError(name)


def as_json(value: Any) -> Any:
    """A plan as JSON data, with the names of mesh.yaml: file contents are left out, versions are text."""
    if isinstance(value, Version | Place):
        return str(value)
    if isinstance(value, UserFile):
        return {"name": value.name, "source": value.source}
    if isinstance(value, ComponentPlan):
        return {"folder": value.folder, "source": value.source}
    if isinstance(value, Door):
        return {"port": value.port, "selector": dict(value.selector)}
    if hasattr(value, "__dataclass_fields__"):
        return {key_of(name): as_json(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [as_json(item) for item in value]
    return value


def key_of(field: str) -> str:
    """The name that mesh.yaml has for a field: `pod_cidrs` is podCIDRs."""
    first, *rest = field.split("_")
    if field == "id":
        return "clusterID"
    return first + "".join(_WORDS.get(word, word.capitalize()) for word in rest)


_WORDS = {"cidrs": "CIDRs", "ids": "IDs", "tls": "TLS", "url": "URL", "id": "ID"}

"""The whole of mesh.yaml, its parts, inventories and acknowledgements."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from meshc.mesh.model.clusters import Cluster, Override
from meshc.mesh.model.delivery import Delivery
from meshc.mesh.model.istio import Istio
from meshc.mesh.model.networks import Network
from meshc.mesh.model.security import Security
from meshc.mesh.model.selection import Selection, Shape
from meshc.mesh.model.services import Namespace, Service
from meshc.mesh.model.words import InventoryFile, Name, PartFiles, Versions


class Requires(Shape):
    """The versions of the tools that this mesh.yaml needs."""

    meshc: Versions | None = None
    """A range of meshc versions, such as `>=0.1,<0.2`."""
    kustomize: Versions | None = None
    """A range of kustomize versions, such as `>=5.4,<6`."""


class Acknowledge(Shape):
    """A problem that is known and accepted. An acknowledgement without effect is itself a problem."""

    code: Annotated[str, Field(pattern=r"^MESH\d{3}$")]
    """The problem's code."""
    clusters: Selection = "all"
    reason: str = Field(min_length=1)
    """The reason why it is accepted, for the next reader."""


Granted = Literal["clusters", "namespaces", "services", "overrides", "networks", "acknowledge"]
"""The lists of `spec` that a part may have."""


class Include(Shape):
    """Files with parts of the mesh, and the lists of `spec` that they may have."""

    files: PartFiles
    """A path relative to mesh.yaml. `*` and `?` match characters of one file or folder name, as in
    `teams/*/services.yaml`."""
    may: Annotated[tuple[Granted, ...], Field(min_length=1)]
    """The lists that they may have. Overrides and acknowledgements in a file apply only to clusters of the same
    file."""


Told = Literal[
    "name",
    "clusterID",
    "role",
    "primary",
    "network",
    "labels",
    "apiServer",
    "kubernetesVersion",
    "podCIDRs",
    "serviceCIDRs",
]


Way = Annotated[str, Field(min_length=1, max_length=256)]


class FromInventory(Shape):
    """A committed file that lists clusters, in the format of another program. It must contain no credentials."""

    file: InventoryFile
    """A path relative to mesh.yaml."""
    format: Literal["argocd-secrets", "clusterprofiles", "cluster-api", "kubeconfig", "list"]
    """argocd-secrets: cluster Secrets of Argo CD. clusterprofiles: ClusterProfile of SIG Multicluster. cluster-api:
    Cluster of Cluster API. kubeconfig: its clusters. list: mappings in YAML or JSON, or a mapping of names to them."""
    select: Selection = "all"
    """The clusters of the file that are in the mesh, by their names and labels in the file."""
    role: Literal["primary", "remote"] = "remote"
    """The role of clusters that mesh.yaml doesn't name."""
    at: Way | None = None
    """list: the path of the list in the file, such as `clusters.value` in the output of `terraform output -json`."""
    fields: dict[Told, Way] = {}
    """The path of a cluster's key in an entry, such as `name: metadata.labels.site`, if it isn't the usual one of the
    format."""

    @model_validator(mode="after")
    def _at_of_list(self) -> FromInventory:
        if self.at is not None and self.format != "list":
            raise PydanticCustomError("bad_inventory", "at goes with format: list")
        return self


class Spec(Shape):
    """The mesh."""

    include: tuple[Include, ...] = ()
    """Files with further entries of the lists below. Their entries come after those of mesh.yaml, in the order written
    here, then by path."""
    clusters_from: tuple[FromInventory, ...] = ()
    """Inventories that add missing settings to the clusters below, by name, and add further clusters after them.
    Settings in mesh.yaml win."""
    requires: Requires = Requires()
    istio: Istio
    security: Security = Security()
    networks: tuple[Network, ...] = ()
    """The networks; needed if there is more than one."""
    clusters: Annotated[tuple[Cluster, ...], Field(min_length=1)]
    """The clusters of the mesh."""
    overrides: tuple[Override, ...] = ()
    """Settings for many clusters at once."""
    namespaces: tuple[Namespace, ...] = ()
    """The application namespaces of the mesh."""
    services: tuple[Service, ...] = ()
    """The services that clients in other clusters call."""
    delivery: Delivery | None = None
    acknowledge: tuple[Acknowledge, ...] = ()
    """Problems that are known and accepted."""


class Metadata(Shape):
    """The mesh's name."""

    name: Name
    """The mesh's name; default of istio.meshID."""


class Mesh(Shape):
    """The Kubernetes clusters of one Istio mesh and their security settings."""

    api_version: Literal["meshc/v1alpha1"]
    """The version of this file's shape."""
    kind: Literal["Mesh"]
    """The kind of this file."""
    metadata: Metadata
    spec: Spec


class PartSpec(Shape):
    """The entries of a part; mesh.yaml says which lists it may have."""

    networks: tuple[Network, ...] = ()
    """Networks."""
    clusters: tuple[Cluster, ...] = ()
    """Clusters of the mesh."""
    overrides: tuple[Override, ...] = ()
    """Settings for many clusters of this file at once."""
    namespaces: tuple[Namespace, ...] = ()
    """Application namespaces of the mesh."""
    services: tuple[Service, ...] = ()
    """Services that clients in other clusters call."""
    acknowledge: tuple[Acknowledge, ...] = ()
    """Problems of clusters of this file that are known and accepted."""


class Part(Shape):
    """A part of a mesh, which mesh.yaml names under `spec.include`."""

    api_version: Literal["meshc/v1alpha1"]
    """The version of this file's shape."""
    kind: Literal["MeshPart"]
    """The kind of this file."""
    spec: PartSpec

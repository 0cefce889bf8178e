"""Clusters, their settings, patches and overrides."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from meshc.mesh.model.control_plane import AddressPart, ControlPlane
from meshc.mesh.model.istio import ClusterIstio
from meshc.mesh.model.security import ClusterSecrets
from meshc.mesh.model.selection import Selection, Shape, form
from meshc.mesh.model.words import (
    Cidr,
    ClusterID,
    ClusterInArgoCD,
    FilePath,
    HttpsUrl,
    KubernetesVersion,
    LabelKey,
    LabelValue,
    Name,
    Subdomain,
)


class PatchTarget(Shape):
    """The objects that a patch applies to, as in kustomize; names are regular expressions."""

    group: str | None = None
    """The group of its apiVersion, such as `apps`."""
    version: str | None = None
    """The version in its apiVersion, such as `v1`."""
    kind: str | None = None
    """Its kind, such as `Deployment`."""
    name: str | None = None
    """Its name."""
    namespace: str | None = None
    """Its namespace."""
    label_selector: str | None = None
    """Its labels, in the syntax of `kubectl get -l`."""
    annotation_selector: str | None = None
    """Its annotations, in the same syntax."""


class Patch(Shape):
    """A user's patch, in the form of kustomize."""

    path: FilePath | None = None
    """The patch file; copied into overlays/<cluster>/patches/."""
    patch: str | None = Field(default=None, min_length=1)
    """The patch itself, instead of a file: `patch: |-` and its lines."""
    target: PatchTarget | None = None
    """The objects that it applies to; default: the object that the patch itself names."""

    @model_validator(mode="after")
    def _one_text(self) -> Patch:
        if (self.path is None) == (self.patch is None):
            raise PydanticCustomError("bad_patch", "needs either path or patch")
        return self

    @property
    def key(self) -> str:
        """Its path; for an inline patch, a name that is made from its text."""
        return self.path or f"inline-{sha256((self.patch or '').encode()).hexdigest()[:8]}.yaml"

    def target_mapping(self) -> dict[str, str]:
        """The target as kustomization.yaml writes it; empty without one."""
        return self.target.model_dump(by_alias=True, exclude_none=True) if self.target else {}


PatchEntry = Annotated[
    Annotated[FilePath, Tag("text")] | Annotated[Patch, Tag("mapping")],
    Discriminator(
        form,
        custom_error_type="wrong_form",
        custom_error_message="must be a path, or a mapping with path or patch, and target",
    ),
]


class ClusterSettings(Shape):
    """Settings of one cluster, or of many clusters under `overrides`."""

    kubernetes_version: KubernetesVersion | None = None
    """The cluster's Kubernetes version."""
    network: Name | None = None
    """The network of its pods; default: the only network of the mesh."""
    primary: Name | None = None
    """Remotes: the primary, or external control plane, that controls this cluster; default: the only one. Every
    primary watches it."""
    control_plane_addresses: dict[AddressPart, str] = {}
    """Remotes: the addresses at which this cluster reaches its primary, if they differ from `controlPlane.addresses`
    there."""
    sidecar_injection: Literal["automatic", "manual"] | None = None
    """automatic (default): a webhook injects sidecars. manual: no webhook, `istioctl kube-inject`."""
    istio: ClusterIstio = ClusterIstio()
    secrets: ClusterSecrets = ClusterSecrets()
    patches: tuple[PatchEntry, ...] = ()
    """Patches for this cluster's overlay."""
    resources: tuple[FilePath, ...] = ()
    """Your own manifests for this cluster's overlay."""
    components: tuple[FilePath, ...] = ()
    """Folders with a kustomization of kind Component; copied below overlays/<cluster>/components/."""


class ClusterDelivery(Shape):
    """How the delivery engine names a cluster, if not by the cluster's name."""

    cluster: ClusterInArgoCD | None = None
    """Argo CD: the cluster's name there, which `argocd cluster add` copies from the context; default: its name here."""
    kube_config_secret: Subdomain | None = None
    """Flux, mode hub: the Secret with this cluster's kubeconfig; default: from delivery.flux.kubeConfigSecret."""

    @model_validator(mode="after")
    def _something(self) -> ClusterDelivery:
        if self.cluster is None and self.kube_config_secret is None:
            raise PydanticCustomError("bad_delivery", "needs cluster or kubeConfigSecret")
        return self


class Cluster(ClusterSettings):
    """One Kubernetes cluster of the mesh."""

    name: Name
    """The cluster's name: its folder under overlays/ and output/, and its ID in Istio unless `clusterID` is set."""
    cluster_id: ClusterID | None = Field(default=None, alias="clusterID")
    """The cluster's ID in Istio (CLUSTER_ID, global.multiCluster.clusterName), if it isn't its name, such as Istio's
    own default `Kubernetes`. The cluster's remote secrets use it as their key."""
    role: Literal["primary", "remote", "external-control-plane"]
    """primary: runs the control plane. remote: is controlled by a primary. external-control-plane: runs the control
    plane of its remotes, and nothing else of the mesh."""
    labels: dict[LabelKey, LabelValue] = {}
    """Labels for selections in this file; they aren't written to the cluster."""
    api_server: HttpsUrl | None = None
    """The https address of the API server, as the primary reaches it."""
    pod_cidrs: tuple[Cidr, ...] = Field(default=(), alias="podCIDRs")
    """The pods' address ranges, IPv4 and IPv6."""
    service_cidrs: tuple[Cidr, ...] = Field(default=(), alias="serviceCIDRs")
    """The Services' address ranges."""
    control_plane: ControlPlane | None = None
    delivery: ClusterDelivery | None = None


class Override(Shape):
    """Settings for many clusters at once. A later override wins over an earlier one, and a cluster's own settings win
    over all."""

    clusters: Selection
    set: ClusterSettings
    """The settings. A list replaces the earlier list; a mapping is merged."""

"""Istio itself: its version, images, charts and further control planes, for the mesh and for a cluster."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from meshc.kube import LABEL
from meshc.mesh.model.selection import Selection, Shape
from meshc.mesh.model.words import NAME_RULE, Folder, FullVersion, Name, Subdomain, matching

_HUB = re.compile(r"[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*", re.ASCII)


Hub = Annotated[
    str,
    matching(_HUB, "must be a registry and path such as docker.io/istio, without scheme, tag or a / at the end", 255),
]


_TAG = re.compile(r"(\{version\}|[A-Za-z0-9_])(\{version\}|[A-Za-z0-9_.-])*", re.ASCII)


ImageTag = Annotated[
    str, matching(_TAG, "must be an image tag: at most 128 of letters, digits, _, - and ., and {version}", 128)
]


Variant = Literal["distroless", "debug"]


class Images(Shape):
    """The source of Istio's images."""

    hub: Hub = "docker.io/istio"
    """The registry and path of Istio's images."""
    tag: ImageTag | None = None
    """The images' tag; default: the Istio version. `{version}` is replaced by the version of each cluster."""
    variant: Variant | None = None
    """istiod: the variant of the images, which Istio's charts add to the tag."""
    pull_secrets: tuple[Subdomain, ...] = ()
    """Names of image pull Secrets that exist in the Istio namespace."""


class ClusterImages(Shape):
    """A cluster's own source of images, if it differs from the mesh's."""

    hub: Hub | None = None
    """The registry and path of Istio's images."""
    tag: ImageTag | None = None
    """The images' tag; default: the tag of the mesh. `{version}` is replaced by the version of the cluster."""
    variant: Variant | None = None
    """istiod: the variant of the images, which Istio's charts add to the tag."""
    pull_secrets: tuple[Subdomain, ...] | None = None
    """Names of image pull Secrets that exist in the Istio namespace."""


_URL = re.compile(r"(oci|https)://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~{}-]+)*/?", re.ASCII)


_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?(/[A-Za-z0-9._~{}-]+)*/?", re.ASCII)


def _chart_source(text: str) -> str:
    if "://" in text and not _URL.fullmatch(text) and not _LOOPBACK.fullmatch(text):
        raise PydanticCustomError("bad_source", "must be oci://host/path or https://host/path, without a password")
    return text


ChartSource = Annotated[str, AfterValidator(_chart_source), Field(min_length=1, max_length=1024)]


Values = dict[str, Any]


IstioRevision = Annotated[
    str,
    matching(LABEL, f"{NAME_RULE.replace('63', '56')}: istiod's Service is istiod-<revision>", 56),
]


RevisionTag = Annotated[
    str,
    matching(LABEL, f"{NAME_RULE.replace('63', '43')}: a Service is istiod-revision-tag-<tag>", 43),
]


Tags = dict[RevisionTag, IstioRevision]


class ExtraChart(Shape):
    """A further chart of Istio, besides those of the control plane."""

    chart: Literal["gateway", "cni", "ztunnel"]
    """The chart; not with classic Istio."""
    release: Name | None = None
    """The release's name; default: istio-cni, ztunnel, istio-eastwestgateway. A gateway's labels are made from it. A
    gateway without a release name is the east-west gateway, and goes to those of the clusters that need one."""
    namespace: Name | None = None
    """The namespace of the release; default: the Istio namespace."""
    revision: IstioRevision | None = None
    """gateway: the revision or tag (`istio.revisionTags`) whose istiod injects its pods; default: each cluster's own
    revision."""
    clusters: Selection = "all"
    values: Values = {}
    """Helm values, merged over the computed ones."""

    @model_validator(mode="after")
    def _injected(self) -> ExtraChart:
        if self.revision is not None and self.chart != "gateway":
            raise PydanticCustomError("bad_chart", "revision goes with chart: gateway")
        return self


class Charts(Shape):
    """Istio's own charts, rendered instead of the built-in remote component, and for primaries."""

    source: ChartSource
    """The source of the charts: a folder (an Istio release, or vendored charts), a .tgz, oci://host/path, or the https
    address of a chart repository. {version} is the Istio version of the cluster."""
    directory: Folder = "charts"
    """The folder for charts that meshc vendor downloads from oci:// and https://."""
    clusters: Selection = "all"
    also: tuple[ExtraChart, ...] = ()
    """Further charts of Istio's."""


class FurtherControlPlane(Shape):
    """A further control plane, besides that of `istio.version` and `istio.revision`: a canary, or an old one."""

    revision: IstioRevision
    """Its revision: its istiod is `istiod-<revision>`."""
    version: FullVersion | None = None
    """Its Istio version; default: the version of each cluster."""
    clusters: Selection = "all"
    """The primaries that run it, and the remotes whose namespaces may use it."""
    images: ClusterImages = ClusterImages()
    values: Values = {}
    """Helm values of its chart istiod, merged over those of the mesh and of the cluster."""


RemoteSecrets = Literal["separate", "both", "mounted"]


class Istio(Shape):
    """The Istio of the whole mesh."""

    version: FullVersion
    """1.0.x is classic Istio (Pilot, Mixer, Citadel); 1.24.0 and later is istiod. A suffix is part of the release, as
    in 1.31.0-rc.0; but -distroless and -debug are variants of the images."""
    namespace: Name = "istio-system"
    """The namespace of Istio. Istio requires the same one in every cluster."""
    trust_domain: Subdomain = "cluster.local"
    """The trust domain of every workload's identity."""
    trust_domain_aliases: tuple[Subdomain, ...] = ()
    """istiod: further trust domains whose workloads count as the mesh's own, such as the old one while trustDomain
    changes. If the root of such a domain is in the mesh's roots, its CA can impersonate any workload of this mesh."""
    cluster_domain: Subdomain = "cluster.local"
    """istiod: the domain of Services in the DNS of every cluster (kubelet's clusterDomain)."""
    mesh_id: str | None = Field(default=None, alias="meshID", min_length=1, max_length=253)
    """The mesh's ID; default: metadata.name."""
    revision: IstioRevision = "default"
    """The revision of istiod that clusters use."""
    control_planes: tuple[FurtherControlPlane, ...] = ()
    """Further control planes in the same clusters, each with its own revision, for canary upgrades."""
    revision_tags: Tags = {}
    """Tags that point to a revision: `prod: 1-29-6`. If a tag moves, namespaces that name it move too. A tag `default`
    is for namespaces that name neither a revision nor a tag."""
    remote_secrets: RemoteSecrets = "separate"
    """istiod: how primaries get the credentials of other clusters. separate: a Secret for each cluster, which istiod
    finds by its label. mounted: one Secret with a key for each cluster, which istiod 1.30 and later mounts and reads as
    files; the values that `meshc values` prints configure this. both: for the change from one to the other."""
    images: Images = Images()
    charts: Charts | None = None
    values: Values = {}
    """Helm values of the control plane's charts, merged over the computed ones."""


class ClusterIstio(Shape):
    """A cluster's own Istio settings, if they differ from the mesh's, for canary upgrades."""

    version: FullVersion | None = None
    """The Istio version of this cluster: its primary's or, while upgrading, one minor version behind; never ahead."""
    revision: IstioRevision | None = None
    """The revision of istiod that this cluster uses."""
    revision_tags: Tags = {}
    """Tags that point to another revision in this cluster than in the mesh, to move a tag cluster by cluster."""
    remote_secrets: RemoteSecrets | None = None
    """How this primary gets the credentials of other clusters; default: `istio.remoteSecrets`."""
    images: ClusterImages = ClusterImages()
    values: Values = {}
    """Helm values of this cluster, merged over those of the mesh."""

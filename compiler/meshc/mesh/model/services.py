"""Namespaces and Services."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from meshc.mesh.model.istio import IstioRevision
from meshc.mesh.model.selection import Selection, Shape
from meshc.mesh.model.words import (
    AnnotationKey,
    AnnotationValue,
    FilePath,
    LabelKey,
    LabelValue,
    Name,
    NameOrFiles,
    PortName,
)


class Namespace(Shape):
    """An application namespace of the mesh."""

    name: Name
    """The namespace's name."""
    dataplane: Literal["sidecar", "ambient", "none"] = "sidecar"
    """sidecar: labelled for injection. ambient: labelled for ztunnel. none: in the mesh without either."""
    revision: IstioRevision | None = None
    """The revision, or tag of `istio.revisionTags`, whose istiod injects its sidecars. Default: the tag `default`, else
    the revision of each cluster."""
    clusters: Selection = "all"
    managed: bool = True
    """false: meshc makes no Namespace object, because somebody else manages it; the checks stay."""
    labels: dict[LabelKey, LabelValue] = {}
    """Further labels of the Namespace, if meshc makes it, such as `pod-security.kubernetes.io/enforce`. Labels that
    meshc, Kubernetes or the delivery engine write aren't allowed."""
    annotations: dict[AnnotationKey, AnnotationValue] = {}
    """Further annotations of the Namespace, such as `networking.istio.io/traffic-distribution`."""

    @model_validator(mode="after")
    def _injected(self) -> Namespace:
        if self.revision is not None and self.dataplane != "sidecar":
            raise PydanticCustomError("bad_namespace", "revision goes with dataplane: sidecar")
        return self


class Port(Shape):
    """One port of a Service."""

    name: PortName | None = None
    """The port's name; needed if there are several. Istio uses it to match endpoints of different clusters."""
    port: int = Field(ge=1, le=65535)
    """The port's number."""
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"
    """The transport protocol."""
    app_protocol: str | None = Field(default=None, min_length=1, max_length=317)
    """The application protocol, such as `grpc`."""


class Service(Shape):
    """Services that clients in other clusters call. They are copied from the clusters where they run to the clusters of
    their clients."""

    name: Name
    """With manifests: the entry's name. Without: the Service's name. It is also the folder under
    overlays/_services/."""
    manifests: FilePath | None = None
    """A file, a folder, or a folder with kustomization.yaml. meshc exports the Service objects in it."""
    namespace: Name | None = None
    """The namespace of the Service, or of Services in `manifests` that name none."""
    include: Annotated[tuple[NameOrFiles, ...], Field(min_length=1)] | None = None
    """Only these Services of the manifests. A pattern of files, such as `deploy/*.yaml`, chooses the files to read."""
    exclude: tuple[NameOrFiles, ...] = ()
    """All Services of the manifests except these; patterns exclude files."""
    clusters: Selection
    copy_to: Selection = "all"
    """The clusters that get a copy. Clusters where the Service runs never get one."""
    ports: tuple[Port, ...] = ()
    """Without manifests: the Service's ports."""
    headless: bool = False
    """Without manifests: the Service has no cluster IP."""

    @model_validator(mode="after")
    def _one_source(self) -> Service:
        if (self.manifests is None) == (not self.ports):
            raise PydanticCustomError("bad_service", "needs either manifests or ports")
        if self.manifests is None and (self.include is not None or self.exclude):
            raise PydanticCustomError("bad_service", "include and exclude go with manifests")
        if self.manifests is None and self.namespace is None:
            raise PydanticCustomError("bad_service", "needs a namespace, as it names no manifests")
        if self.include is not None and self.exclude:
            raise PydanticCustomError("bad_service", "takes include or exclude, not both")
        if self.manifests is not None and self.headless:
            raise PydanticCustomError("bad_service", "headless goes with ports; manifests say it themselves")
        return self

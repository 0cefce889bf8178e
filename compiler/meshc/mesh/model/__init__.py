"""The model of mesh.yaml: its structure, values and defaults, with a module for each section.

The JSON Schema and the docs are generated from it. The text under each field is the field's description.
"""

from __future__ import annotations

from meshc.mesh.model.clusters import (
    Cluster,
    ClusterDelivery,
    ClusterSettings,
    Override,
    Patch,
    PatchTarget,
)
from meshc.mesh.model.control_plane import (
    PARTS,
    ControlPlane,
    HttpsGateway,
)
from meshc.mesh.model.delivery import (
    Delivery,
    Flux,
    Publish,
)
from meshc.mesh.model.istio import (
    Charts,
    ClusterImages,
    ClusterIstio,
    ExtraChart,
    FurtherControlPlane,
    Images,
    Istio,
    RemoteSecrets,
)
from meshc.mesh.model.networks import (
    Network,
    NetworkGateway,
)
from meshc.mesh.model.security import (
    Ca,
    ClusterSecrets,
    Secrets,
    Security,
    Store,
)
from meshc.mesh.model.selection import (
    MatchExpression,
    Selection,
    Selector,
    Shape,
)
from meshc.mesh.model.services import (
    Namespace,
    Port,
    Service,
)
from meshc.mesh.model.whole import (
    Acknowledge,
    FromInventory,
    Granted,
    Include,
    Mesh,
    Metadata,
    Part,
    PartSpec,
    Requires,
    Spec,
)
from meshc.mesh.model.words import (
    RelativePath,
)

__all__ = [
    "PARTS",
    "Acknowledge",
    "Ca",
    "Charts",
    "Cluster",
    "ClusterDelivery",
    "ClusterImages",
    "ClusterIstio",
    "ClusterSecrets",
    "ClusterSettings",
    "ControlPlane",
    "Delivery",
    "ExtraChart",
    "Flux",
    "FromInventory",
    "FurtherControlPlane",
    "Granted",
    "HttpsGateway",
    "Images",
    "Include",
    "Istio",
    "MatchExpression",
    "Mesh",
    "Metadata",
    "Namespace",
    "Network",
    "NetworkGateway",
    "Override",
    "Part",
    "PartSpec",
    "Patch",
    "PatchTarget",
    "Port",
    "Publish",
    "RelativePath",
    "RemoteSecrets",
    "Requires",
    "Secrets",
    "Security",
    "Selection",
    "Selector",
    "Service",
    "Shape",
    "Spec",
    "Store",
]

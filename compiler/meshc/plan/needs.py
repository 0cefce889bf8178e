"""Inputs that a component needs but can't make: a Secret (described without its value), or a chart's objects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from meshc.errors import Place
from meshc.kube import Version


@dataclass(frozen=True, slots=True)
class SecretNeed:
    """A Secret that a component needs. It never contains a secret value. `public` keys are public certificates.

    `file` is the path of the sealed file in the sealed folder, and `kind` names the need in messages. A missing file
    is an error if `required`. Otherwise meshc reports its credentials (`of`) as pending, or just leaves it out.
    """

    cluster: str
    kind: str
    file: str
    namespace: str
    name: str
    keys: tuple[str, ...]
    public: tuple[str, ...] = ()
    as_tls: bool = False
    """True if a TLS Secret in the form of cert-manager is read instead."""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)
    """Annotations that meshc adds to the object, in every form of sealing."""
    required: bool = False
    recipients: tuple[str, ...] = ()
    """The recipients in mesh.yaml; empty if it names none."""
    binding: Literal["none", "wanted", "required"] = "none"
    """Whether a signature must prove that the ciphertext belongs to the cluster's certificate."""
    servers: Mapping[str, str] = field(default_factory=dict)
    """The API servers of its credentials, by cluster, if mesh.yaml names them."""
    of: Mapping[str, str] = field(default_factory=dict)
    """The clusters with credentials in the Secret, each with its key."""
    grows: bool = False
    """True if some of its keys may be missing; these are reported as pending."""
    not_labelled: str = ""
    """A label that the object must not have."""

    def waiting(self, there: Collection[str] = ()) -> tuple[str, ...]:
        """The messages about credentials whose keys are missing."""
        return tuple(waiting_for(name, self.cluster) for name, key in self.of.items() if key not in there)


@dataclass(frozen=True, slots=True)
class ChartNeed:
    """A chart to render for a cluster: its digest, its release and its values.

    Its objects are written to `file` of the overlay. `place` is the line of mesh.yaml that names the chart.
    """

    cluster: str
    file: str
    chart: str
    version: Version
    digest: str
    release: str
    namespace: str
    values: Mapping[str, Any]
    kubernetes: Version
    place: Place


def waiting_for(remote: str, primary: str) -> str:
    """The message for a primary that has no credentials of a cluster yet."""
    return f"{remote}: waiting for credentials in {primary}"

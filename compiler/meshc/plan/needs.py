"""Inputs that a component needs but can't make: a Secret, described without its value, or the objects of a chart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from meshc.errors import Place
from meshc.kube import Version


@dataclass(frozen=True, slots=True)
class SecretNeed:
    """A Secret that a component relies on. Never holds a value; `public` keys are certificates, open to everyone.

    `file` is where its sealed form lies below the sealed folder; `kind` names the need in messages. A missing file is
    an error where `required`, else credentials in it (`of`) are waited for, and anything else is simply not placed.
    """

    cluster: str
    kind: str
    file: str
    namespace: str
    name: str
    keys: tuple[str, ...]
    public: tuple[str, ...] = ()
    as_tls: bool = False
    """Whether a TLS Secret, as cert-manager makes it, is read in its place."""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)
    """Annotations that meshc adds to whatever form is placed."""
    required: bool = False
    recipients: tuple[str, ...] = ()
    """Whom mesh.yaml wants it sealed for; empty where it doesn't say."""
    binding: Literal["none", "wanted", "required"] = "none"
    """Whether its ciphertext has to prove that it belongs to the cluster's certificate."""
    servers: Mapping[str, str] = field(default_factory=dict)
    """The API servers that its credentials are for, by cluster, as far as mesh.yaml names them."""
    of: Mapping[str, str] = field(default_factory=dict)
    """The clusters that it holds the credentials of, each with its key."""
    grows: bool = False
    """Whether it may hold a part of its keys: the others are waited for."""
    not_labelled: str = ""
    """A label that it must not carry."""

    def waiting(self, there: Collection[str] = ()) -> tuple[str, ...]:
        """What is said of the credentials whose keys aren't there."""
        return tuple(waiting_for(name, self.cluster) for name, key in self.of.items() if key not in there)


@dataclass(frozen=True, slots=True)
class ChartNeed:
    """A chart to be rendered for a cluster: which one by its digest, under which release, with which values.

    `file` is the file of the overlay that its objects go into, `place` where mesh.yaml asks for the chart.
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
    """What is said while a primary has no credentials of a cluster."""
    return f"{remote}: waiting for credentials in {primary}"

"""The settings of the engine that applies output/ to the clusters, and of `meshc publish`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from meshc.errors import Place


@dataclass(frozen=True, slots=True)
class FluxPlan:
    """How Flux delivers. In the names of the kubeconfig and decryption Secrets, {cluster} is replaced."""

    mode: Literal["hub", "each"]
    source: str
    source_secret: str | None
    verify_secret: str | None
    kube_config_secret: str
    decryption_secret: str
    interval: str


@dataclass(frozen=True, slots=True)
class PublishPlan:
    """Where output/ is published. `repo` is another repository, or None for the repository of mesh.yaml."""

    place: Place = field(compare=False)
    repo: str | None
    branch: str
    path: str | None
    push: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """The engine that applies output/. `project` is only set for Argo CD, and `flux` only for Flux.

    Without a `repo_url`, Flux reads an existing GitRepository, which has its own revision.
    """

    engine: Literal["argo-cd", "flux"]
    place: Place
    """The line of mesh.yaml that names the engine."""
    path_place: Place
    repo_url: str | None
    revision: str
    path: str
    namespace: str
    runs_in: str | None
    project: str | None
    signature_keys: tuple[str, ...]
    """IDs of the PGP keys whose signed commits Argo CD accepts; empty if commits need no signature."""
    flux: FluxPlan | None
    publish: PublishPlan | None

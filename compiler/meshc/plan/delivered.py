"""What applies output/ to the clusters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from meshc.errors import Place


@dataclass(frozen=True, slots=True)
class FluxPlan:
    """How Flux delivers. In the two names of Secrets, {cluster} is to be filled in."""

    mode: Literal["hub", "each"]
    source: str
    source_secret: str | None
    verify_secret: str | None
    kube_config_secret: str
    decryption_secret: str
    interval: str


@dataclass(frozen=True, slots=True)
class PublishPlan:
    """Where output/ is published. `repo` is another repository, None for that of mesh.yaml."""

    place: Place = field(compare=False)
    repo: str | None
    branch: str
    path: str | None
    push: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """What applies output/ to the clusters. `project` is Argo CD's, `flux` is Flux's; the other one's is None.

    Without a `repo_url` Flux reads a GitRepository that exists already, at a `revision` of its own.
    """

    engine: Literal["argo-cd", "flux"]
    place: Place
    """Where mesh.yaml names the engine."""
    path_place: Place
    repo_url: str | None
    revision: str
    path: str
    namespace: str
    runs_in: str | None
    project: str | None
    signature_keys: tuple[str, ...]
    """IDs of the PGP keys that Argo CD takes commits of; none where they need not be signed."""
    flux: FluxPlan | None
    publish: PublishPlan | None

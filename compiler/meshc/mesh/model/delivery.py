"""Delivery: what applies output/, and where output/ is published."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from meshc.kube import SUBDOMAIN
from meshc.mesh.model.selection import Shape
from meshc.mesh.model.words import Folder, Name, RepositoryUrl, Subdomain, matching

_REVISION = re.compile(r"(?!.*(?:\.\.|//|/\.|\.lock(?:/|\Z)|[./]\Z))[A-Za-z0-9_][A-Za-z0-9_./+-]*", re.ASCII)


Revision = Annotated[
    str,
    matching(_REVISION, "must be a branch, refs/... in full, or a commit: letters, digits, _, -, +, . and /", 255),
]


_BRANCH = re.compile(r"(?!.*(?:\.\.|//|/\.|\.lock(?:/|\Z)|[./]\Z))(?!refs/)[A-Za-z0-9_][A-Za-z0-9_./+-]*", re.ASCII)


_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)


_PER_CLUSTER = re.compile(r"[a-z0-9.-]*\{cluster\}[a-z0-9.-]*", re.ASCII)


_NAMES = "must be a Secret's name, in lower case letters, digits, - and ."


PerCluster = Annotated[str, matching(_PER_CLUSTER, f"{_NAMES}, with {{cluster}} in it", 128)]


PerClusterOrOne = Annotated[
    str,
    matching(re.compile(rf"{_PER_CLUSTER.pattern}|{SUBDOMAIN.pattern}", re.ASCII), f"{_NAMES}, or {{cluster}}", 128),
]


Interval = Annotated[str, matching(re.compile(r"([0-9]{1,6}(s|m|h))+"), "must be a time such as 10m or 1h30m", 20)]


SignatureKey = Annotated[
    str,
    matching(
        re.compile(r"[0-9A-Fa-f]{16}|[0-9A-Fa-f]{40}", re.ASCII),
        "must be the ID of a PGP key, 16 or 40 digits of 0 to 9 and A to F: gpg --list-keys --keyid-format long",
        40,
    ),
]


class Flux(Shape):
    """How Flux delivers."""

    mode: Literal["hub", "each"] = "hub"
    """hub: one Flux applies to every cluster with kubeconfigs. each: every cluster has its own Flux."""
    source: Name | None = None
    """The GitRepository's name; default: metadata.name. Without repoURL, it must exist already."""
    source_secret: Subdomain | None = None
    """The Secret with which Flux reads repoURL; default: none, for a public repository."""
    verify_secret: Subdomain | None = None
    """The Secret with PGP keys. Flux applies only commits of repoURL that one of these keys has signed; default: none,
    so commits need no signature. `meshc publish` signs with Git's own settings, and refuses to publish unsigned commits
    if this is set."""
    kube_config_secret: PerCluster = "{cluster}-kubeconfig"  # noqa: S105 # a name
    """Mode hub: the Secret with the kubeconfig of a cluster; {cluster} is filled in."""
    decryption_secret: PerClusterOrOne = "sops-age"  # noqa: S105
    """The Secret with the age identity that decrypts sops files; {cluster} is filled in."""
    interval: Interval = "10m"
    """How often Flux looks for new commits, and for changes made in a cluster."""


class Publish(Shape):
    """Where `meshc publish` commits overlays/ and output/, if not to the branch on which mesh.yaml is edited."""

    repo: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    """Another repository, at the address that the publisher uses: https://host/path, ssh://git@host/path,
    git@host:path; default: the repository of mesh.yaml."""
    branch: Annotated[str, matching(_BRANCH, "must be the name of a branch", 200)] | None = None
    """The branch; default: `revision`."""
    path: Folder | None = None
    """The folder for overlays/ and output/; default: the folder of mesh.yaml, or the top of another repository."""
    push: bool = True
    """true: also push the branch to origin. Another repository is always pushed to."""


class Delivery(Shape):
    """The engine that applies output/ to the clusters. Its objects are written to output/_delivery/."""

    engine: Literal["argo-cd", "flux"]
    """The engine."""
    repo_url: RepositoryUrl | None = Field(default=None, alias="repoURL")
    """The Git repository, at the address that the engine uses: https://host/path, ssh://git@host/path; Argo CD:
    git@host:path too."""
    revision: Revision = "main"
    """The applied revision: a branch, a full reference (refs/tags/v1), or a commit."""
    path: Folder = "output"
    """The path of output/ from the top of that repository."""
    namespace: Name | None = None
    """The namespace of the engine's objects; default: argocd, or flux-system."""
    runs_in: Name | None = None
    """The cluster in which the engine itself runs, if it is in the mesh."""
    project: Subdomain | None = None
    """Argo CD: the AppProject; default: default."""
    signature_keys: tuple[SignatureKey, ...] = ()
    """Argo CD: PGP keys; one of them must have signed each commit that Argo CD syncs. Default: commits need no
    signature. meshc writes an AppProject that requires it to output/_delivery/argo-cd/project.yaml, for you to apply.
    `meshc publish` signs with Git's own settings, and refuses to publish unsigned commits if this is set."""
    flux: Flux | None = None
    publish: Publish | None = None
    """Where output/ is published. `meshc publish` then needs no options, and check and next compare with the published
    output."""

    @model_validator(mode="after")
    def _one_engine(self) -> Delivery:
        if self.engine == "argo-cd" and self.flux is not None:
            raise PydanticCustomError("bad_delivery", "flux goes with engine: flux")
        if self.engine == "flux" and self.signature_keys:
            raise PydanticCustomError("bad_delivery", "signatureKeys goes with engine: argo-cd; Flux has verifySecret")
        if self.signature_keys and self.project in (None, "default"):
            rule = "signatureKeys goes with a project of its own: every Application of a project has to be signed"
            raise PydanticCustomError("bad_delivery", rule)
        if self.engine == "flux" and self.project is not None:
            raise PydanticCustomError("bad_delivery", "project goes with engine: argo-cd")
        if self.repo_url is None and (self.flux is None or self.flux.source is None):
            needed = " or flux.source, a GitRepository that exists" if self.engine == "flux" else ""
            raise PydanticCustomError("bad_delivery", f"needs repoURL{needed}")
        if self.repo_url is None and self.flux is not None and self.flux.source_secret is not None:
            raise PydanticCustomError("bad_delivery", "flux.sourceSecret goes with repoURL")
        if self.publish is not None and self.publish.branch is None:
            if self.repo_url is None:
                raise PydanticCustomError("bad_delivery", "publish.branch is needed without repoURL")
            if self.revision.startswith("refs/") or _COMMIT.fullmatch(self.revision):
                raise PydanticCustomError("bad_delivery", "publish.branch is needed where revision is no branch")
        if self.repo_url is None and self.flux is not None and self.flux.verify_secret is not None:
            raise PydanticCustomError("bad_delivery", "flux.verifySecret goes with repoURL")
        if self.repo_url is None and "revision" in self.model_fields_set:
            raise PydanticCustomError("bad_delivery", "revision goes with repoURL; a source that exists has its own")
        if self.flux is not None and self.flux.mode == "each" and self.runs_in is not None:
            raise PydanticCustomError(
                "bad_delivery", "runsIn goes with flux.mode: hub; with each, Flux runs everywhere"
            )
        return self

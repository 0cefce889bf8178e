"""The first meshes that `meshc init` can write, by Istio and topology. Their files are in `starts/`."""

from __future__ import annotations

from enum import StrEnum
from importlib.resources import files

from meshc.errors import UsageError
from meshc.kube import LABEL
from meshc.plain import plain

FIRST_NAME = "my-mesh"


class Generation(StrEnum):
    """The generation of Istio."""

    ISTIOD = "istiod"
    CLASSIC = "classic"


class Topology(StrEnum):
    """The clusters of a first mesh."""

    PRIMARY_REMOTE = "primary-remote"
    MULTI_PRIMARY = "multi-primary"
    SINGLE_CLUSTER = "single-cluster"

    @property
    def needs_ca(self) -> bool:
        """True if the mesh needs a CA before it compiles."""
        return self is Topology.MULTI_PRIMARY


def first_mesh(generation: Generation, topology: Topology, name: str) -> str:
    """The text of a first mesh.yaml with comments.

    It compiles immediately, or after a CA is made if it needs one. Raises UsageError for a topology that the generation
    doesn't support, and for a name that no mesh can have.
    """
    if generation is Generation.CLASSIC and topology is Topology.MULTI_PRIMARY:
        raise UsageError("classic Istio has one primary in a mesh", "choose --topology primary-remote")
    if not LABEL.fullmatch(name):
        raise UsageError(
            f'"{plain(name)}" can\'t be the name of a mesh', "lower case letters, digits and -, at most 63"
        )
    return _start(f"{generation}-{topology}.yaml").replace(f"name: {FIRST_NAME}\n", f"name: {name}\n")


def git_attributes() -> str:
    """The Git settings for a mesh."""
    return _start("gitattributes")


def _start(name: str) -> str:
    return (files("meshc") / "starts" / name).read_text("utf-8")

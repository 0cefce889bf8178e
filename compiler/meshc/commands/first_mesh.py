"""What a mesh can begin with: which Istio, which clusters. The files themselves lie in `starts/`."""

from __future__ import annotations

from enum import StrEnum
from importlib.resources import files


class Generation(StrEnum):
    """Which Istio."""

    ISTIOD = "istiod"
    CLASSIC = "classic"


class Topology(StrEnum):
    """Which clusters to begin with."""

    PRIMARY_REMOTE = "primary-remote"
    SINGLE_CLUSTER = "single-cluster"


def first_mesh(generation: Generation, topology: Topology) -> str:
    """The text of a mesh.yaml to begin with, commented, that compiles."""
    return _start(f"{generation}-{topology}.yaml")


def git_attributes() -> str:
    """The Git settings that go with a mesh."""
    return _start("gitattributes")


def _start(name: str) -> str:
    return (files("meshc") / "starts" / name).read_text("utf-8")

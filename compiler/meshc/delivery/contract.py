"""What the module for each engine must offer, and what the modules share: names, paths and folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from meshc.overlays.kustomization import NAME, kustomization
from meshc.overlays.layout import Printer

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.kube import Body
    from meshc.plan.delivered import Delivery
    from meshc.plan.ir import Plan

ENGINE = "spec.delivery.engine"

LONGEST = 63
"""The longest name: both engines write the name into a label of the applied objects."""

Applied = Mapping[str, Sequence["Body"]]
"""The objects of each cluster, before the user's patches."""


class Engine(Protocol):
    """A module that knows one engine."""

    def lay_out(self, plan: Plan, delivery: Delivery, applied: Applied) -> Mapping[str, bytes]:
        """The files of output/_delivery/<engine>/, with paths below it. A person applies root.yaml."""
        ...

    def check(self, plan: Plan, delivery: Delivery, applied: Applied) -> Iterable[Problem]:
        """Reports what the engine can't or won't apply."""
        ...


def name_of(plan: Plan, cluster: str) -> str:
    """The name of the object that applies a cluster. Because of the dot, names of two meshes never collide: `a.b-c`,
    `a-b.c`."""
    return f"{plan.mesh}.{cluster}"


def folder_of(delivery: Delivery, *parts: str) -> str:
    """The path of a part of output/ from the top of the repository."""
    return "/".join((delivery.path, *parts))


def folder(root: Iterable[Body], parts: Mapping[str, Body]) -> dict[str, bytes]:
    """A folder that an engine syncs: its kustomization lists the files, except the root, which a person applies once.

    So the root never prunes or changes itself, and no commit can point the whole mesh to another repository.
    """
    printer = Printer()
    files = {path: printer.text([body]) for path, body in parts.items()}
    return {"root.yaml": printer.text(root), **files, NAME: kustomization(parts)}


def sealed_by_sops(bodies: Iterable[Body]) -> list[Body]:
    """The Secrets with a sops block."""
    return [body for body in bodies if body.get("kind") == "Secret" and "sops" in body]

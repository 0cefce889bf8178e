"""Lists the objects of a cluster by the component that makes them, each with where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.commands.clusters import named
from meshc.commands.comes_from import From, origin_in
from meshc.commands.compiling import compiled_unrendered
from meshc.kube import Identity, identity_of, is_object
from meshc.overlays.reaching import reaching

if TYPE_CHECKING:
    from meshc.commands.opened import Opened
    from meshc.kube import Body
    from meshc.mesh.source import Source
    from meshc.pipeline import Compiled
    from meshc.plan.ir import ClusterPlan

RESOURCES = "resources"
"""The component of objects in the user's files."""

_Patches = Sequence[tuple[str, Callable[["Body"], bool]]]


@dataclass(frozen=True, slots=True)
class Leaf:
    """An object, its source, and the user's patches that may change it."""

    identity: Identity
    origins: tuple[From, ...]
    patches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """A component with its objects. `folder` is the folder of a kustomize component, whose objects kustomize makes."""

    component: str
    leaves: tuple[Leaf, ...]
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Tree:
    """A cluster, its place in mesh.yaml, and the components of its overlay in order."""

    cluster: str
    role: str
    place: str
    branches: tuple[Branch, ...]


def tree_of(opened: Opened, name: str) -> Tree:
    """The tree of one cluster. Raises UsageError for an unknown cluster, and the errors of a compile."""
    compiled = compiled_unrendered(opened)
    return tree_in(compiled, opened.source, named(compiled.plan, name))


def tree_in(compiled: Compiled, source: Source, cluster: ClusterPlan) -> Tree:
    """The tree of a cluster of a compiled mesh."""
    found: dict[str, list[Leaf]] = {}
    for component, leaf in _leaves(compiled, source, cluster):
        found.setdefault(component, []).append(leaf)
    branches = [Branch(component, tuple(leaves)) for component, leaves in found.items()]
    branches += [Branch(f"component {one.folder}", (), source.shown(one.source)) for one in cluster.components]
    return Tree(cluster.name, cluster.role, str(cluster.place), tuple(branches))


def _leaves(compiled: Compiled, source: Source, cluster: ClusterPlan) -> Iterator[tuple[str, Leaf]]:
    """Each object with its component: those that meshc and charts make, then those of the user's files."""
    origin = origin_in(compiled, source, cluster)
    patches = [(source.shown(one.file.source), reaching(one)) for one in cluster.patches]
    shared = [("", one) for name in cluster.bases for one in compiled.layout.bases[name]]
    for file, one in (*compiled.layout.objects[cluster.name], *shared):
        component, places = origin.of(file, one)
        yield component, Leaf(one.identity, places, _reached(patches, one.body))
    for user in (user for file in cluster.resources for user in file.objects if is_object(user.body)):
        places = (From("file", str(user.place)),)
        yield RESOURCES, Leaf(identity_of(user.body), places, _reached(patches, user.body))


def _reached(patches: _Patches, body: Body) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for path, fits in patches if fits(body)))

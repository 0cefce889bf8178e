"""Finds the objects of an overlay that a patch matches, after the patches before it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from meshc.kube import identity_of
from meshc.overlays.marks import Marks
from meshc.overlays.targets import CLUSTER_SCOPED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshc.kube import Body, Identity, KubeObject
    from meshc.overlays.targets import Target


class Matched:
    """The objects of one overlay by number, with their labels and annotations after the patches so far."""

    def __init__(self, objects: Sequence[KubeObject]) -> None:
        self._objects = objects
        self._changes: dict[int, list[Any]] = {}

    @cached_property
    def bodies(self) -> Sequence[Body]:
        return [one.body for one in self._objects]

    def named(self, change: Body) -> list[int]:
        """The objects that a patch without a target names."""
        found = self._by_name.get(effective(identity_of(change)), [])
        return [number for number in found if self.bodies[number].get("apiVersion") == change.get("apiVersion")]

    def fitting(self, target: Target) -> list[int]:
        """The objects that a target matches."""
        return [number for number, one in enumerate(self._objects) if self._fits(number, one, target)]

    def change(self, number: int, change: Any) -> None:
        """Records the changes of a patch to an object's labels and annotations."""
        self._changes.setdefault(number, []).append(change)

    def change_all(self, change: Any) -> None:
        """Records the changes of every object's labels and annotations."""
        for number, _ in enumerate(self._objects):
            self.change(number, change)

    def _fits(self, number: int, one: KubeObject, target: Target) -> bool:
        if not target.names(one.body, one.identity):
            return False
        if not target.labels and not target.annotations:
            return True
        marks = self._marks(number)
        return marks.may_have(target.labels, "labels") and marks.may_have(target.annotations, "annotations")

    def _marks(self, number: int) -> Marks:
        marks = Marks.of(self.bodies[number])
        for change in self._changes.get(number, ()):
            marks = marks.after(change)
        return marks

    @cached_property
    def _by_name(self) -> Mapping[Identity, list[int]]:
        found: dict[Identity, list[int]] = {}
        for number, one in enumerate(self._objects):
            found.setdefault(effective(one.identity), []).append(number)
        return found


def effective(identity: Identity) -> Identity:
    """The identity as kustomize compares it: a missing namespace is the same as `default`, and an object of the cluster
    has none."""
    has_none = identity.namespace == "default" or (identity.group, identity.kind) in CLUSTER_SCOPED
    return identity._replace(namespace="") if has_none else identity

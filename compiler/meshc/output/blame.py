"""Finds the user's files that kustomize refuses, from its error.

Adds the files one by one, because kustomize often doesn't name the faulty file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from meshc import codes
from meshc.errors import BuildError, Place, Problem
from meshc.overlays.layout import kustomization_of

if TYPE_CHECKING:
    from meshc.plan.files import ComponentPlan, PatchPlan, UserFile
    from meshc.plan.ir import ClusterPlan

_One = TypeVar("_One")


@dataclass
class Blame:
    """One overlay that kustomize refused. `files` are all of its files. `build` builds other files in their place."""

    cluster: ClusterPlan
    files: Mapping[str, bytes]
    build: Callable[[Mapping[str, bytes]], bytes]
    _taken: list[UserFile] = field(default_factory=list)
    _applied: list[PatchPlan] = field(default_factory=list)

    def told(self, said: str) -> list[Problem]:
        """A problem at each faulty file. If no single file is faulty, a problem at the overlay, with the message of
        kustomize (`said`)."""
        for stage in (self._resources, self._patches, self._components):
            if found := list(stage()):
                return found
        place = Place(f"overlays/{self.cluster.name}/kustomization.yaml")
        what = f"{self.cluster.name}: kustomize can't build the overlay: {said}"
        return [self._problem(place, what, "look at the resources and patches of this cluster")]

    def _resources(self) -> Iterator[Problem]:
        if self._fault([], []):
            return
        for file, reason in self._each(self.cluster.resources, self._taken, lambda taken: self._fault(taken, [])):
            what = f"{self.cluster.name}: kustomize can't take this file: {reason}"
            yield self._problem(file.objects[0].place, what, "fix the file")

    def _patches(self) -> Iterator[Problem]:
        if self._fault(self._taken, []):
            return
        patches = self._each(self.cluster.patches, self._applied, lambda applied: self._fault(self._taken, applied))
        for patch, reason in patches:
            what = f"{self.cluster.name}: kustomize can't apply this patch: {reason}"
            hint = "fix the patch; overlays/ has the objects that patches change"
            yield self._problem(patch.file.objects[0].place, what, hint, (patch.place,))

    def _components(self) -> Iterator[Problem]:
        if self._fault(self._taken, self._applied):
            return
        taken: list[ComponentPlan] = []
        components = self._each(
            self.cluster.components, taken, lambda some: self._fault(self._taken, self._applied, some)
        )
        for one, reason in components:
            what = f"{self.cluster.name}: kustomize can't apply this component: {reason}"
            yield self._problem(one.place, what, "fix the component")

    @staticmethod
    def _each(
        every: Iterable[_One], taken: list[_One], fault: Callable[[list[_One]], str]
    ) -> Iterator[tuple[_One, str]]:
        """Adds each item to `taken` if the build then succeeds. Yields each item with which the build fails, with the
        error."""
        for one in every:
            if reason := fault([*taken, one]):
                yield one, reason
            else:
                taken.append(one)

    def _fault(
        self, resources: Sequence[UserFile], patches: Sequence[PatchPlan], components: Sequence[ComponentPlan] = ()
    ) -> str:
        """The message of kustomize for an overlay with only these files; empty if the build succeeds."""
        fewer = replace(self.cluster, resources=tuple(resources), components=tuple(components))
        text = kustomization_of(fewer, self.files, patches)
        try:
            self.build({**self.files, f"{self.cluster.name}/kustomization.yaml": text})
        except BuildError as error:
            return str(error)
        return ""

    def _problem(self, place: Place, what: str, hint: str, also: tuple[Place, ...] = ()) -> Problem:
        return codes.KUSTOMIZE_FAILED.at(place, what, hint, also=also, clusters=(self.cluster.name,))

"""Finds the user's files that kustomize refuses.

Adds the files one by one, because kustomize often doesn't name the faulty file. If kustomize refuses many clusters for
the same reason, only one of them is searched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from meshc.errors import BuildError, Place
from meshc.output.refused import Fault, additions_of, first_of_each, key_of
from meshc.overlays.layout import kustomization_of

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from meshc.output.refused import Addition, Refusal
    from meshc.plan.files import ComponentPlan, PatchPlan, UserFile
    from meshc.plan.ir import ClusterPlan

_One = TypeVar("_One")
_OfKind = TypeVar("_OfKind", bound="Addition")


@dataclass
class Blame:
    """One overlay that kustomize refused. `files` are all of its files. `build` builds other files in their place."""

    cluster: ClusterPlan
    files: Mapping[str, bytes]
    build: Callable[[Mapping[str, bytes]], bytes]
    _taken: list[UserFile] = field(default_factory=list)
    _accepted: list[ComponentPlan] = field(default_factory=list)

    def faults(self, said: str) -> list[Fault]:
        """Each faulty file. If no single file is faulty, the overlay, with the message of kustomize (`said`)."""
        for stage in (self._resources, self._components, self._patches):  # the order in which kustomize applies them
            if found := list(stage()):
                return found
        place = Place(f"overlays/{self.cluster.name}/kustomization.yaml")
        what = f"kustomize can't build the overlay: {said}"
        return [Fault(None, place, what, "look at the resources and patches of this cluster")]

    def is_explained_by(self, faults: Sequence[Fault]) -> bool:
        """True if kustomize builds the overlay without the faulty additions, which it has."""
        if not faults or not all(fault.is_in(self.cluster) for fault in faults):
            return False
        resources = _without(self.cluster.resources, faults)
        patches = _without(self.cluster.patches, faults)
        return not self._fault(resources, patches, _without(self.cluster.components, faults))

    def _resources(self) -> Iterator[Fault]:
        if self._fault([], []):
            return
        for file, reason in self._each(self.cluster.resources, self._taken, lambda taken: self._fault(taken, [])):
            yield Fault(file, file.objects[0].place, f"kustomize can't take this file: {reason}", "fix the file")

    def _components(self) -> Iterator[Fault]:
        if self._fault(self._taken, []):
            return
        components = self._each(
            self.cluster.components, self._accepted, lambda some: self._fault(self._taken, [], some)
        )
        for one, reason in components:
            what = f"kustomize can't apply this component: {reason}"
            yield Fault(one, one.place, what, "fix the component")

    def _patches(self) -> Iterator[Fault]:
        if self._fault(self._taken, [], self._accepted):
            return
        patches = self._each(
            self.cluster.patches, [], lambda applied: self._fault(self._taken, applied, self._accepted)
        )
        for patch, reason in patches:
            what = f"kustomize can't apply this patch: {reason}"
            hint = "fix the patch; overlays/ has the objects that patches change"
            yield Fault(patch, patch.file.objects[0].place, what, hint, (patch.place,))

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


def _without(parts: Sequence[_OfKind], faults: Sequence[Fault]) -> list[_OfKind]:
    return [one for one in parts if not any(fault.is_of(one) for fault in faults)]


@dataclass(frozen=True)
class FaultFinder:
    """Searches refused overlays, several at once. `of` makes the Blame of a cluster."""

    of: Callable[[ClusterPlan], Blame]
    pool: ThreadPoolExecutor

    def faults(self, refusals: Sequence[Refusal]) -> dict[str, Sequence[Fault]]:
        """The faults of each refused overlay, by the cluster's name."""
        first = first_of_each(refusals)
        known = list(zip(first, self.pool.map(self._whole, first), strict=True))
        names = {one.cluster.name for one in first}
        others = [one for one in refusals if one.cluster.name not in names]
        found = {one.cluster.name: faults for one, faults in known} | self.shared(others, known)
        others = [one for one in others if one.cluster.name not in found]
        return found | dict(zip((one.cluster.name for one in others), self.pool.map(self._whole, others), strict=True))

    def shared(
        self, refusals: Sequence[Refusal], known: Sequence[tuple[Refusal, Sequence[Fault]]]
    ) -> dict[str, Sequence[Fault]]:
        """The faults of the clusters that were refused for a known reason, and that have no other fault."""
        pairs = [(one, *same) for one in refusals for same in known if same[0].reason == one.reason]
        fits = self.pool.map(lambda pair: self._is_same(*pair), pairs)
        return {one.cluster.name: faults for (one, _, faults), fit in zip(pairs, fits, strict=True) if fit}

    def _is_same(self, one: Refusal, known: Refusal, faults: Sequence[Fault]) -> bool:
        mine, others = ([key_of(addition) for addition in additions_of(each.cluster)] for each in (one, known))
        searched = all(fault.addition is not None for fault in faults)
        return searched and (mine == others or self.of(one.cluster).is_explained_by(faults))

    def _whole(self, refusal: Refusal) -> list[Fault]:
        return self.of(refusal.cluster).faults(refusal.said)

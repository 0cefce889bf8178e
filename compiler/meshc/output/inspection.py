"""Inspects what kustomize built: secrets in plain text, changes of what istiod trusts, and objects that can't work."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from meshc import codes
from meshc.checks.applied.check import AppliedChecks
from meshc.checks.applied.view import offered_by
from meshc.output.applied import Given, Views
from meshc.overlays.layout import BASES, COMPONENTS, RESOURCES
from meshc.scanning.guard import RenderedGuard
from meshc.sealing.sources import Changes, is_telling

if TYPE_CHECKING:
    from meshc.errors import Place, Problem
    from meshc.kube import Identity
    from meshc.overlays.layout import Layout
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.tree import FileTree


class Inspection:
    """The inspection of one run. It adds the problems that can be acknowledged to `applied`, by cluster."""

    def __init__(self, plan: Plan, layout: Layout, applied: dict[str, list[Problem]]) -> None:
        self.guard = RenderedGuard(_own(layout))
        self._plan, self._layout, self._applied = plan, layout, applied
        self._views, self._checks = Views(plan, offered_by(plan)), AppliedChecks()
        self._changes = Changes(plan.istio_namespace)

    def look(
        self,
        cluster: ClusterPlan,
        files: Mapping[str, bytes],
        built: FileTree,
        reached: Collection[Identity] | None,
    ) -> list[Problem]:
        """The problems that can't be acknowledged. `files` were the input of kustomize, and `reached` are the objects
        of meshc in it; None for all objects."""
        if cluster.patches or cluster.components:
            given = Given(self._layout.made(cluster), files.values(), reached)
            self._applied[cluster.name] = list(self._checks.check(self._views.of(cluster, given, built)))
        return [
            *_leaks(self.guard, cluster, built),
            *_second_sources(cluster, self._changes, files, built),
        ]


def _own(layout: Layout) -> Iterator[bytes]:
    """The files of meshc's own objects. The user's files are one folder deeper."""
    for path, data in layout.tree.items():
        if path.count("/") == 1 or path.startswith(f"{BASES}/"):
            yield data


def _leaks(guard: RenderedGuard, cluster: ClusterPlan, rendered: FileTree) -> list[Problem]:
    """Secrets in plain text that a patch adds, or that a user's file hides by the syntax of YAML.

    Reported at the patches and files, because a single line may not show the secret.
    """
    places = _places(cluster)
    files = rendered.items() if places else [(name, data) for name, data in rendered.items() if name == RESOURCES]
    told = " as patched" if places else ""
    places += [one.place for file in cluster.resources for one in file.objects[:1]]
    return [
        replace(
            found, place=places[0], also=tuple(places[1:]), what=f"output/{cluster.name}/{name}{told}: {found.what}"
        )
        for name, data in files
        for found in guard.check(data, name, (cluster.name,))
    ]


def _places(cluster: ClusterPlan) -> list[Place]:
    """The places in mesh.yaml that name a cluster's patches and components."""
    return [*(patch.place for patch in cluster.patches), *(component.place for component in cluster.components)]


def _second_sources(
    cluster: ClusterPlan, changes: Changes, before: Mapping[str, bytes], after: FileTree
) -> Iterator[Problem]:
    """Changes by patches in objects from which istiod gets its trust."""
    if not cluster.patches and not cluster.components:
        return
    named = [patch.place for patch in cluster.patches if is_telling(patch.file.data)]
    named += [one.place for one in cluster.components if any(map(is_telling, one.files.values()))]
    first, *others = named or _places(cluster)
    laid_out = [data for path, data in before.items() if f"/{COMPONENTS}/" not in path]
    for what, hint in changes.found(laid_out, after.values()):
        told = f"{cluster.name}: {what}"
        yield codes.TRUST_PATCHED.at(first, told, hint, also=tuple(others), clusters=(cluster.name,))

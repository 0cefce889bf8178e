"""Renders the trees of output/ from overlays/ with kustomize, and reports its failures as problems."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from meshc.disk.scratch import scratch
from meshc.errors import BuildError, Problem, stop_on
from meshc.output.batches import Builder, BuiltUnits
from meshc.output.blame import Blame, FaultFinder
from meshc.output.inspection import Inspection
from meshc.output.link import Link
from meshc.output.native import Linker
from meshc.output.refused import Fault, Refusal, first_of_each, problems_of
from meshc.output.split import split
from meshc.output.units import REFUSED, RENAMED, STYLE, Cutter
from meshc.overlays.layout import BASES
from meshc.tree import FileTree

if TYPE_CHECKING:
    from meshc.disk.repository import Repository
    from meshc.output.kustomize import Kustomize
    from meshc.output.unit import Unit
    from meshc.overlays.layout import Layout
    from meshc.plan.ir import ClusterPlan, Plan


@dataclass(frozen=True, slots=True)
class Rendered:
    """output/ of each requested cluster, the names of the clusters that kustomize built, and the warnings and notices.

    `whole` are the clusters of which kustomize had to build every object, each with the reason.
    """

    trees: Mapping[str, FileTree]
    by_kustomize: tuple[str, ...]
    whole: tuple[tuple[str, str], ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class How:
    """The kustomize to use, the repository with the cache of builds, and the number of parallel builds (`jobs`; 0 means
    one for each processor).

    `done` is called after each cluster.
    """

    kustomize: Kustomize
    cache: Repository
    jobs: int = 0
    link: Link = Link.AUTO
    done: Callable[[], None] = lambda: None


Settle = Callable[[Sequence[Problem], bool], list[Problem]]
"""Removes acknowledged problems. The flag is true if every cluster with patches was rendered."""


def render(
    plan: Plan, layout: Layout, how: How, clusters: Sequence[str] = (), settle: Settle = lambda found, _: list(found)
) -> Rendered:
    """Renders output/ of the given clusters (none means all), with kustomize only if it is needed.

    Raises ProblemsError for overlays that kustomize refuses, and for faults in its output, at the user's file that
    causes them.
    """
    wanted = set(clusters)
    chosen = [cluster for cluster in plan.clusters if not wanted or cluster.name in wanted]
    rendering = _Rendering(plan, layout, how)
    trees = dict(rendering.linked(chosen)) if how.link is Link.AUTO else {}
    left = [cluster for cluster in chosen if cluster.name not in trees]
    results = rendering.built(left) if left else {}
    found = [problem for cluster in left for problem in _problems(results.get(cluster.name, []))]
    applied = [problem for cluster in left for problem in rendering.applied.get(cluster.name, ())]
    told = settle(applied, _looked_at_all(plan, chosen))
    stop_on([*rendering.refused, *found, *told])
    trees |= {name: result for name, result in results.items() if isinstance(result, FileTree)}
    return Rendered(
        {cluster.name: trees[cluster.name] for cluster in chosen},
        tuple(c.name for c in left),
        tuple(rendering.why.items()),
        tuple(told),
    )


_Result = FileTree | list[Problem]


class _Rendering:
    """The state of one run.

    `applied` are the problems of objects after the patches, by cluster. `refused` are the problems of overlays that
    kustomize refuses. `why` has the reason if kustomize had to build every object of a cluster.
    """

    def __init__(self, plan: Plan, layout: Layout, how: How) -> None:
        self._plan, self._layout, self._how = plan, layout, how
        self._shared = _by_folder(layout.tree)
        self._linker = Linker(how.kustomize.version, self._shared)
        self.applied: dict[str, list[Problem]] = {}
        self.refused: list[Problem] = []
        self.why: dict[str, str] = {}

    def linked(self, clusters: Sequence[ClusterPlan]) -> Iterator[tuple[str, FileTree]]:
        """The clusters that don't need kustomize, each with its tree."""
        for cluster in clusters:
            if self._linker.links(cluster):
                yield cluster.name, self._linker.link(cluster, self._layout.names(cluster))
                self._how.done()

    def built(self, clusters: Sequence[ClusterPlan]) -> dict[str, _Result]:
        """Builds the other clusters with kustomize: only the necessary part of each, or the whole overlay if that isn't
        enough."""
        self._inspection = Inspection(self._plan, self._layout, self.applied)
        with (
            _once(lambda: scratch(self._layout.tree)) as self._root,
            ThreadPoolExecutor(max_workers=self._how.jobs or os.cpu_count() or 1) as pool,
        ):
            results, refused = self._of_units(clusters, pool) if self._how.link is Link.AUTO else ({}, [])
            first = {one.cluster.name for one in first_of_each(refused)}
            later = {one.cluster.name for one in refused} - first
            now = [one for one in clusters if one.name not in results and one.name not in later]
            faults = self._of_overlays(now, results, pool)
            known = [(one, faults[one.cluster.name]) for one in refused if one.cluster.name in faults]
            others = [one for one in refused if one.cluster.name in later]
            faults |= FaultFinder(self._blame, pool).shared(others, known)
            rest = [one for one in clusters if one.name in later and one.name not in faults]
            faults |= self._of_overlays(rest, results, pool)
        self.refused = list(problems_of({one.name: faults[one.name] for one in clusters if one.name in faults}))
        return results

    def _of_units(
        self, clusters: Sequence[ClusterPlan], pool: ThreadPoolExecutor
    ) -> tuple[dict[str, _Result], list[Refusal]]:
        """Builds each distinct unit once, even if several clusters have it. Returns the results, and the units that
        kustomize refused."""
        cut, how = self._units(clusters), self._how
        every = [unit for units in cut.values() for unit in units]
        streams = Builder(how.kustomize, how.cache, self._inspection.guard, how.jobs).build(every, pool)
        results: dict[str, _Result] = {}
        refused = []
        for cluster in (one for one in clusters if one.name in cut):
            units_built = BuiltUnits(cut[cluster.name], streams)
            if units_built.said is not None:
                refused.append(Refusal(cluster, units_built.said))
                self.why[cluster.name] = REFUSED
            elif (made := units_built.made()) is None:
                self.why[cluster.name] = RENAMED
            else:
                built = split(units_built.stream, units_built.homes)
                problems = self._inspection.look(cluster, units_built.files, built, units_built.homes.keys())
                linked = self._linker.link(cluster, self._layout.names(cluster), units_built.texts, made)
                results[cluster.name] = problems or linked
                self._how.done()
        return results, refused

    def _of_overlays(
        self, clusters: Sequence[ClusterPlan], results: dict[str, _Result], pool: ThreadPoolExecutor
    ) -> dict[str, Sequence[Fault]]:
        """Builds whole overlays and adds them to the results. Returns the faults of those that kustomize refuses."""
        refused = []
        for cluster, built in zip(clusters, pool.map(self._whole, clusters), strict=True):
            if isinstance(built, BuildError):
                refused.append(Refusal(cluster, str(built)))
            else:
                results[cluster.name] = built
        return FaultFinder(self._blame, pool).faults(refused)

    def _units(self, clusters: Sequence[ClusterPlan]) -> Mapping[str, Sequence[Unit]]:
        """The part of each overlay that kustomize has to build, if it is less than the whole overlay."""
        cutter = Cutter(self._layout, self._linker.placed)
        found: dict[str, Sequence[Unit]] = {}
        for cluster in clusters if self._linker.tested else ():  # else `compile` reports all clusters together
            cut = cutter.units(cluster) if self._linker.passes(cluster) else STYLE
            if isinstance(cut, str):
                self.why[cluster.name] = cut
            else:
                found[cluster.name] = cut
        return found

    def _whole(self, cluster: ClusterPlan) -> _Result | BuildError:
        files, how = _overlay(cluster, self._shared), self._how
        try:
            stream = how.kustomize.build(files, cluster.name, how.cache, self._root, self._inspection.guard)
        except BuildError as error:
            return error
        finally:
            how.done()
        built = split(stream, self._layout.homes(cluster))
        return self._inspection.look(cluster, files, built, None) or built

    def _blame(self, cluster: ClusterPlan) -> Blame:
        cache, files = self._how.cache, _overlay(cluster, self._shared)
        return Blame(cluster, files, lambda fewer: self._how.kustomize.build(fewer, cluster.name, cache))


def _looked_at_all(plan: Plan, chosen: Sequence[ClusterPlan]) -> bool:
    """True if no cluster with patches was left out."""
    there = {cluster.name for cluster in chosen}
    return all(one.name in there for one in plan.clusters if one.patches or one.components)


def _problems(result: FileTree | list[Problem]) -> list[Problem]:
    return result if isinstance(result, list) else []


def _overlay(cluster: ClusterPlan, shared: Mapping[str, Mapping[str, bytes]]) -> dict[str, bytes]:
    """The files of a cluster's overlay and of the bases that it names, by path from the top of overlays/."""
    files = {f"{cluster.name}/{path}": data for path, data in shared[cluster.name].items()}
    for base in cluster.bases:
        files |= {f"{BASES}/{base}/{path}": data for path, data in shared[f"{BASES}/{base}"].items()}
    return files


@contextmanager
def _once(make: Callable[[], AbstractContextManager[Path]]) -> Iterator[Callable[[], Path]]:
    """A folder that is made at its first use, so that the overlays are written only once although they share bases."""
    made: list[Path] = []
    lock = Lock()
    with ExitStack() as stack:

        def folder() -> Path:
            with lock:
                if not made:
                    made.append(stack.enter_context(make()))
                return made[0]

        yield folder


def _by_folder(tree: FileTree) -> Mapping[str, dict[str, bytes]]:
    """The files of each overlay and each base, with paths relative to it."""
    folders: dict[str, dict[str, bytes]] = {}
    for path, data in tree.items():
        depth = 2 if path.startswith(f"{BASES}/") else 1
        parts = path.split("/")
        folders.setdefault("/".join(parts[:depth]), {})["/".join(parts[depth:])] = data
    return folders

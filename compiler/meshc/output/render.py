"""Renders the trees of output/ from overlays/ with kustomize, and reports its failures as problems."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from meshc import codes
from meshc.checks.applied.check import check_applied
from meshc.checks.applied.view import offered_by
from meshc.disk.scratch import scratch
from meshc.errors import BuildError, Place, Problem, stop_on
from meshc.output.applied import Given, Views
from meshc.output.batches import Builder
from meshc.output.blame import Blame
from meshc.output.link import Link
from meshc.output.native import Linker
from meshc.output.split import split
from meshc.output.units import REFUSED, RENAMED, STYLE, Cutter
from meshc.overlays.layout import BASES, COMPONENTS, RESOURCES
from meshc.scanning.guard import RenderedGuard
from meshc.sealing import sources
from meshc.tree import FileTree

if TYPE_CHECKING:
    from meshc.disk.repository import Repository
    from meshc.output.kustomize import Kustomize
    from meshc.output.units import Unit
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
    found = [problem for cluster in left for problem in _problems(results[cluster.name])]
    applied = [problem for cluster in left for problem in rendering.applied.get(cluster.name, ())]
    told = settle(applied, _looked_at_all(plan, chosen))
    stop_on([*found, *told])
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

    `applied` are the problems of objects after the patches, by cluster. `why` has the reason if kustomize had to build
    every object of a cluster.
    """

    def __init__(self, plan: Plan, layout: Layout, how: How) -> None:
        self._plan, self._layout, self._how = plan, layout, how
        self._shared = _by_folder(layout.tree)
        self._linker = Linker(how.kustomize.version, self._shared)
        self.applied: dict[str, list[Problem]] = {}
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
        self._guard = RenderedGuard(_own(self._layout))
        self._views = Views(self._plan, offered_by(self._plan))
        with (
            _once(lambda: scratch(self._layout.tree)) as self._root,
            ThreadPoolExecutor(max_workers=self._how.jobs or os.cpu_count() or 1) as pool,
        ):
            results = dict(self._of_units(clusters, pool)) if self._how.link is Link.AUTO else {}
            whole = [cluster for cluster in clusters if cluster.name not in results]
            return results | dict(zip([cluster.name for cluster in whole], pool.map(self._whole, whole), strict=True))

    def _of_units(self, clusters: Sequence[ClusterPlan], pool: ThreadPoolExecutor) -> Iterator[tuple[str, _Result]]:
        """Builds each distinct unit once, even if several clusters have it."""
        units, how = self._units(clusters), self._how
        streams = Builder(how.kustomize, how.cache, self._guard, how.jobs).build(list(units.values()), pool)
        for cluster in (one for one in clusters if one.name in units):
            unit = units[cluster.name]
            stream = streams[unit.key]
            made = None if stream is None else unit.made(stream)
            if stream is None or made is None:
                self.why[cluster.name] = REFUSED if stream is None else RENAMED
                continue
            problems = self._look(cluster, unit.files, split(stream, unit.homes), unit)
            yield (
                cluster.name,
                problems or self._linker.link(cluster, self._layout.names(cluster), frozenset(unit.texts), made),
            )
            self._how.done()

    def _units(self, clusters: Sequence[ClusterPlan]) -> Mapping[str, Unit]:
        """The part of each overlay that kustomize has to build, if it is less than the whole overlay."""
        cutter = Cutter(self._layout, self._linker.placed)
        found: dict[str, Unit] = {}
        for cluster in clusters if self._linker.tested else ():  # else `compile` reports all clusters together
            cut = cutter.unit(cluster) if self._linker.passes(cluster) else STYLE
            if isinstance(cut, str):
                self.why[cluster.name] = cut
            else:
                found[cluster.name] = cut
        return found

    def _whole(self, cluster: ClusterPlan) -> _Result:
        files, kustomize, cache = _overlay(cluster, self._shared), self._how.kustomize, self._how.cache
        try:
            stream = kustomize.build(files, cluster.name, cache, self._root, self._guard)
        except BuildError as error:
            return Blame(cluster, files, lambda fewer: kustomize.build(fewer, cluster.name, cache)).told(str(error))
        finally:
            self._how.done()
        built = split(stream, self._layout.homes(cluster))
        return self._look(cluster, files, built, None) or built

    def _look(
        self, cluster: ClusterPlan, files: Mapping[str, bytes], built: FileTree, unit: Unit | None
    ) -> list[Problem]:
        """The problems that can't be acknowledged. Adds all other problems to `applied`."""
        if cluster.patches or cluster.components:
            given = Given(self._layout.made(cluster), files.values(), unit.homes.keys() if unit else None)
            self.applied[cluster.name] = list(check_applied(self._views.of(cluster, given, built)))
        return _refused(self._guard, cluster, self._plan.istio_namespace, files, built)


def _looked_at_all(plan: Plan, chosen: Sequence[ClusterPlan]) -> bool:
    """True if no cluster with patches was left out."""
    there = {cluster.name for cluster in chosen}
    return all(one.name in there for one in plan.clusters if one.patches or one.components)


def _problems(result: FileTree | list[Problem]) -> list[Problem]:
    return result if isinstance(result, list) else []


def _refused(
    guard: RenderedGuard, cluster: ClusterPlan, namespace: str, before: Mapping[str, bytes], after: FileTree
) -> list[Problem]:
    return [*_leaks(guard, cluster, after), *_second_sources(cluster, namespace, before, after)]


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
    cluster: ClusterPlan, namespace: str, before: Mapping[str, bytes], after: FileTree
) -> Iterator[Problem]:
    """Changes by patches in objects from which istiod gets its trust."""
    if not cluster.patches and not cluster.components:
        return
    named = [patch.place for patch in cluster.patches if sources.is_telling(patch.file.data)]
    named += [one.place for one in cluster.components if any(map(sources.is_telling, one.files.values()))]
    first, *others = named or _places(cluster)
    laid_out = [data for path, data in before.items() if f"/{COMPONENTS}/" not in path]
    for what, hint in sources.check_patched(cluster, namespace, laid_out, after.values()):
        told = f"{cluster.name}: {what}"
        yield codes.TRUST_PATCHED.at(first, told, hint, also=tuple(others), clusters=(cluster.name,))


def _by_folder(tree: FileTree) -> Mapping[str, dict[str, bytes]]:
    """The files of each overlay and each base, with paths relative to it."""
    folders: dict[str, dict[str, bytes]] = {}
    for path, data in tree.items():
        depth = 2 if path.startswith(f"{BASES}/") else 1
        parts = path.split("/")
        folders.setdefault("/".join(parts[:depth]), {})["/".join(parts[depth:])] = data
    return folders

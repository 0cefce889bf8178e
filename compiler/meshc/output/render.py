"""render turns the tree of overlays/ into the trees of output/, through kustomize, and its failures into problems."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.applied.check import check_applied
from meshc.applied.view import offered_by
from meshc.disk.scratch import scratch
from meshc.errors import BuildError, Place, Problem, stop_on
from meshc.output.applied import view_built
from meshc.output.link import Link
from meshc.output.native import Linker
from meshc.output.split import split
from meshc.output.units import FOLDER, Cutter
from meshc.overlays.layout import BASES, COMPONENTS, RESOURCES, kustomization_of
from meshc.secrets import door
from meshc.secrets.guard import RenderedGuard
from meshc.tree import FileTree

if TYPE_CHECKING:
    from meshc.disk.repository import Repository
    from meshc.output.kustomize import Kustomize
    from meshc.output.units import Unit
    from meshc.overlays.layout import Layout
    from meshc.plan.ir import ClusterPlan, ComponentPlan, PatchPlan, Plan, UserFile


@dataclass(frozen=True, slots=True)
class Rendered:
    """output/ of each cluster that was asked for, the names of those that kustomize built, and what is no error."""

    trees: Mapping[str, FileTree]
    by_kustomize: tuple[str, ...]
    problems: tuple[Problem, ...]


def render(
    plan: Plan,
    layout: Layout,
    kustomize: Kustomize,
    cache: Repository,
    clusters: Sequence[str] = (),
    jobs: int = 0,
    done: Callable[[], None] = lambda: None,
    link: Link = Link.AUTO,
    settle: Callable[[Sequence[Problem], bool], list[Problem]] = lambda found, _: list(found),
) -> Rendered:
    """output/ of the given clusters (none: all), by kustomize where it is needed, as many at once as `jobs` tells.

    `done` is called after each cluster. `settle` takes out what is acknowledged, and is told whether every cluster was
    looked at. Raises ProblemsError with what kustomize refuses, and what is wrong with what it built, at the user's
    file that causes it.
    """
    shared = _by_folder(layout.tree)
    linker = Linker(kustomize.version, shared)
    wanted = set(clusters)
    chosen = [cluster for cluster in plan.clusters if not wanted or cluster.name in wanted]
    trees: dict[str, FileTree] = {}
    for cluster in chosen if link is Link.AUTO else ():
        if linker.links(cluster):
            trees[cluster.name] = linker.link(cluster, layout.names(cluster))
            done()
    left = [cluster for cluster in chosen if cluster.name not in trees]
    guard = RenderedGuard(_own(layout) if left else ())
    offered = offered_by(plan) if left else {}
    results: dict[str, FileTree | list[Problem]] = {}
    applied: dict[str, list[Problem]] = {}
    read: dict[bytes, Any] = {}

    def look(cluster: ClusterPlan, files: Mapping[str, bytes], built: FileTree, unit: Unit | None) -> list[Problem]:
        """What may not be, and can't be acknowledged; what else there is goes into `applied`."""
        if cluster.patches or cluster.components:
            given = unit.homes.keys() if unit else None
            view = view_built(plan, cluster, layout.made(cluster), files.values(), built, offered, given, read)
            applied[cluster.name] = list(check_applied(view))
        return _refused(guard, cluster, plan.istio_namespace, files, built)

    def one(cluster: ClusterPlan) -> FileTree | list[Problem]:
        files = _overlay(cluster, shared)
        try:
            stream = kustomize.build(files, cluster.name, cache, root, guard)
        except BuildError as error:
            return _blame(cluster, files, str(error), lambda fewer: kustomize.build(fewer, cluster.name, cache))
        finally:
            done()
        built = split(stream, layout.homes(cluster))
        return look(cluster, files, built, None) or built

    def part(files: Mapping[str, bytes]) -> bytes | None:
        try:
            return kustomize.build(files, FOLDER, cache, None, guard)
        except BuildError:  # the whole overlay tells whose fault it is
            return None

    with (
        _once(lambda: scratch(layout.tree)) as root,
        ThreadPoolExecutor(max_workers=jobs or os.cpu_count() or 1) as pool,
    ):
        units = _units(layout, linker, left) if link is Link.AUTO else {}
        distinct = {unit.key: unit.files for unit in units.values()}
        streams = dict(zip(distinct, pool.map(part, distinct.values()), strict=True))
        for cluster in (one for one in left if one.name in units):
            unit = units[cluster.name]
            stream = streams[unit.key]
            made = None if stream is None else unit.made(stream)
            if stream is None or made is None:
                continue
            problems = look(cluster, unit.files, split(stream, unit.homes), unit)
            results[cluster.name] = problems or linker.link(cluster, layout.names(cluster), unit.reached, made)
            done()
        whole = [cluster for cluster in left if cluster.name not in results]
        results |= dict(zip([cluster.name for cluster in whole], pool.map(one, whole), strict=True))
    found = [problem for cluster in left for problem in _problems(results[cluster.name])]
    told = settle(
        [problem for cluster in left for problem in applied.get(cluster.name, ())], _looked_at_all(plan, chosen)
    )
    stop_on([*found, *told])
    trees |= {name: result for name, result in results.items() if isinstance(result, FileTree)}
    return Rendered({cluster.name: trees[cluster.name] for cluster in chosen}, tuple(c.name for c in left), tuple(told))


def _looked_at_all(plan: Plan, chosen: Sequence[ClusterPlan]) -> bool:
    """True if no cluster with patches was left out."""
    there = {cluster.name for cluster in chosen}
    return all(one.name in there for one in plan.clusters if one.patches or one.components)


def _problems(result: FileTree | list[Problem]) -> list[Problem]:
    return result if isinstance(result, list) else []


def _units(layout: Layout, linker: Linker, clusters: Sequence[ClusterPlan]) -> Mapping[str, Unit]:
    """What kustomize has to see of each overlay, where that is less than the whole."""
    cutter = Cutter(layout, linker.placed)
    cut = {cluster.name: cutter.unit(cluster) for cluster in clusters if linker.passes(cluster)}
    return {name: unit for name, unit in cut.items() if unit is not None}


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
    """A folder that is made when it is first asked for: the overlays are written once, whatever shares their bases."""
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
    """The files of meshc's own objects: what is the user's lies one folder deeper."""
    for path, data in layout.tree.items():
        if path.count("/") == 1 or path.startswith(f"{BASES}/"):
            yield data


def _leaks(guard: RenderedGuard, cluster: ClusterPlan, rendered: FileTree) -> list[Problem]:
    """What a patch made readable that must not be, or a file of the user's holds in a disguise of YAML's.

    Told at the patches and files, as no line of theirs need show it.
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
    """Where mesh.yaml names what changes a cluster's objects."""
    return [*(patch.place for patch in cluster.patches), *(component.place for component in cluster.components)]


def _second_sources(
    cluster: ClusterPlan, namespace: str, before: Mapping[str, bytes], after: FileTree
) -> Iterator[Problem]:
    """What patches do to that which istiod takes its trust from."""
    if not cluster.patches and not cluster.components:
        return
    named = [patch.place for patch in cluster.patches if door.is_telling(patch.file.data)]
    named += [one.place for one in cluster.components if any(map(door.is_telling, one.files.values()))]
    first, *others = named or _places(cluster)
    laid_out = [data for path, data in before.items() if f"/{COMPONENTS}/" not in path]
    for what, hint in door.check_patched(cluster, namespace, laid_out, after.values()):
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


def _blame(
    cluster: ClusterPlan, files: Mapping[str, bytes], said: str, build: Callable[[Mapping[str, bytes]], bytes]
) -> list[Problem]:
    """The user's files that kustomize can't take: they are added one by one, as kustomize often doesn't name one."""

    def fault(
        resources: Sequence[UserFile], patches: Sequence[PatchPlan], components: Sequence[ComponentPlan] = ()
    ) -> str:
        fewer = replace(cluster, resources=tuple(resources), components=tuple(components))
        try:
            build({**files, f"{cluster.name}/kustomization.yaml": kustomization_of(fewer, files, patches)})
        except BuildError as error:
            return str(error)
        return ""

    about = (cluster.name,)
    found: list[Problem] = []
    taken: list[UserFile] = []
    for file in () if fault((), ()) else cluster.resources:
        if reason := fault([*taken, file], ()):
            what = f"{cluster.name}: kustomize can't take this file: {reason}"
            place = file.objects[0].place
            found.append(codes.KUSTOMIZE_FAILED.at(place, what, "mend the file", clusters=about))
        else:
            taken.append(file)
    applied: list[PatchPlan] = []
    for patch in () if found or fault(taken, ()) else cluster.patches:
        if reason := fault(taken, [*applied, patch]):
            what = f"{cluster.name}: kustomize can't apply this patch: {reason}"
            hint = "mend the patch; the objects that patches are for stand in overlays/"
            place, also = patch.file.objects[0].place, (patch.place,)
            found.append(codes.KUSTOMIZE_FAILED.at(place, what, hint, also=also, clusters=about))
        else:
            applied.append(patch)
    components: list[ComponentPlan] = []
    for one in () if found or fault(taken, applied) else cluster.components:
        if reason := fault(taken, applied, [*components, one]):
            what = f"{cluster.name}: kustomize can't apply this component: {reason}"
            found.append(codes.KUSTOMIZE_FAILED.at(one.place, what, "mend the component", clusters=about))
        else:
            components.append(one)
    if not found:
        place = Place(f"overlays/{cluster.name}/kustomization.yaml")
        what = f"{cluster.name}: kustomize can't build the overlay: {said}"
        hint = "look at the resources and patches of this cluster"
        found.append(codes.KUSTOMIZE_FAILED.at(place, what, hint, clusters=about))
    return found

"""The corridor: the stages of a compile in order, from mesh.yaml to the trees of overlays/ and output/."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from meshc import __version__, codes
from meshc.components.registry import COMPONENTS
from meshc.components.services import copy_of
from meshc.errors import Place, Problem, ProblemsError, Severity, ToolError
from meshc.kube import KubeObject
from meshc.mesh import check_requires
from meshc.mesh.acknowledge import silence
from meshc.mesh.check import check
from meshc.mesh.exports import read_exports
from meshc.mesh.fleet import make_fleet
from meshc.mesh.inputs import gather, objects_in
from meshc.mesh.kustomizations import brief
from meshc.mesh.parse import parse
from meshc.overlays.layout import BASES, Layout, lay_out
from meshc.overlays.patches import check_overlay
from meshc.plan.make import UNPLANNABLE, make_plan
from meshc.plan.needs import SecretNeed
from meshc.secrets.guard import plain_secret, plaintext_in
from meshc.secrets.place import Sealed, place, unused
from meshc.secrets.registry import FORMS
from meshc.tree import FileTree

if TYPE_CHECKING:
    from meshc.disk.repository import Repository
    from meshc.mesh.inputs import Inputs
    from meshc.mesh.model import Mesh
    from meshc.mesh.source import Source
    from meshc.output.kustomize import Kustomize
    from meshc.plan.ir import ClusterPlan, PatchPlan, Plan, UserFile



@dataclass(frozen=True)
class Compiled:
    """A mesh that holds: its plan, the layout of overlays/, what is waited for, and what isn't an error."""

    mesh: Mesh
    plan: Plan
    layout: Layout
    pending: tuple[str, ...]
    problems: tuple[Problem, ...]

    def choose(self, patterns: Sequence[str]) -> list[str]:
        """Clusters whose name matches a pattern, in file order."""
        return [cluster.name for cluster in self.plan.clusters if any(fnmatchcase(cluster.name, p) for p in patterns)]


def compile_mesh(source: Source, repository: Repository, kustomize: Callable[[], Kustomize]) -> Compiled:
    """Everything but the rendering: reads the inputs, checks the whole, lays out overlays/. Writes nothing.

    `kustomize` is only called where an input of the user's has to be built. Raises ProblemsError with every problem
    that stands in the way, ToolError if kustomize is needed and missing.
    """
    mesh, problems = parse(source.document)
    if mesh is None:
        raise ProblemsError(problems)
    stop_on(check_requires.meshc(mesh, source, __version__))
    fleet = make_fleet(mesh, source.document.data)
    inputs, problems = gather(
        fleet, source, repository, lambda files, folder: kustomize().build(files, folder, repository)
    )
    exports, more = read_exports(fleet, source, inputs)
    problems += more
    problems += check(fleet, source, inputs, exports)
    problems += _guard(source, inputs)
    if any(problem.code in UNPLANNABLE for problem in problems):
        raise ProblemsError(silence(problems, fleet, source, final=False))

    plan = make_plan(fleet, source, exports, inputs)
    named = source.document.place(("spec", "security", "secrets", "directory"))
    sealed = Sealed(inputs.sealed, inputs.certificates, source.shown(mesh.spec.security.secrets.directory), named)
    objects: dict[str, list[tuple[str, KubeObject]]] = {}
    needs: list[SecretNeed] = []
    pending: list[str] = []
    for cluster in plan.clusters:
        objects[cluster.name] = []
        for file, item in _lower(plan, cluster):
            if isinstance(item, KubeObject):
                objects[cluster.name].append((file, item))
                continue
            needs.append(item)
            placed = place(item, sealed, FORMS)
            problems += placed.problems
            pending += [placed.pending] if placed.pending else []
            if placed.body is not None:
                objects[cluster.name].append((file, KubeObject(placed.body, file.removesuffix(".yaml"))))
    problems += unused(needs, sealed, [member.name for member in fleet.primaries])
    bases = {base.name: [KubeObject(copy_of(copy), "services") for copy in base.copies] for base in plan.bases}
    for cluster in plan.clusters:
        ours = [one for _, one in objects[cluster.name]] + [one for name in cluster.bases for one in bases[name]]
        problems += check_overlay(cluster, ours)
    problems = silence(problems, fleet, source, final=True)
    stop_on(problems)
    return Compiled(mesh, plan, lay_out(plan, objects, bases), tuple(pending), tuple(sorted(problems, key=lambda p: p.order)))


def stop_on(problems: Iterable[Problem]) -> None:
    """Raises ProblemsError if any of the problems is an error."""
    found = list(problems)
    if any(problem.severity is Severity.ERROR for problem in found):
        raise ProblemsError(found)


def _lower(plan: Plan, cluster: ClusterPlan) -> Iterator[tuple[str, KubeObject | SecretNeed]]:
    """The objects and needs of a cluster with their files, in registry order. A sealed Secret has a file of its own."""
    for name, component in COMPONENTS.items():
        for item in component.lower(plan, cluster):
            if isinstance(item, SecretNeed):
                yield item.file.rsplit("/", 1)[-1], item
            else:
                yield f"{name}.yaml", KubeObject(item, name)


def _guard(source: Source, inputs: Inputs) -> Iterator[Problem]:
    """Nothing of the user's that is copied or built into the tree holds a secret in plain text."""
    for name, content in inputs.plain.items():
        yield from plaintext_in(content, source.shown(name), codes.PLAINTEXT_SECRET)
    for files in inputs.resources.values():
        for file in files:
            for manifest, path, body in objects_in(file.manifests):
                if isinstance(body, dict):
                    yield from plain_secret(body, manifest.place(path))


def render(
    compiled: Compiled,
    repository: Repository,
    kustomize: Kustomize,
    clusters: Sequence[str] | None = None,
    jobs: int | None = None,
) -> dict[str, FileTree]:
    """output/ of the given clusters (default all), built by kustomize, as many at once as `jobs` or there are processors.

    Raises ProblemsError with what kustomize refuses, at the user's file that causes it.
    """
    from meshc.output.render import split

    shared = _by_folder(compiled.layout.tree)
    chosen = [cluster for cluster in compiled.plan.clusters if clusters is None or cluster.name in clusters]

    def one(cluster: ClusterPlan) -> FileTree | list[Problem]:
        files = {f"{cluster.name}/{path}": data for path, data in shared[cluster.name].items()}
        for base in cluster.bases:
            files |= {f"{BASES}/{base}/{path}": data for path, data in shared[f"{BASES}/{base}"].items()}
        try:
            stream = kustomize.build(files, cluster.name, repository)
        except ToolError as error:
            return _blame(cluster, files, str(error), lambda fewer: kustomize.build(fewer, cluster.name, repository))
        return split(stream, compiled.layout.files[cluster.name])

    with ThreadPoolExecutor(max_workers=jobs or os.cpu_count() or 1) as pool:
        rendered = dict(zip([cluster.name for cluster in chosen], pool.map(one, chosen), strict=True))
    stop_on(problem for result in rendered.values() if isinstance(result, list) for problem in result)
    return {name: result for name, result in rendered.items() if isinstance(result, FileTree)}


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
    from meshc.overlays.layout import kustomization_of

    def fault(resources: Sequence[UserFile], patches: Sequence[PatchPlan]) -> str:
        fewer = replace(cluster, resources=tuple(resources))
        try:
            build({**files, f"{cluster.name}/kustomization.yaml": kustomization_of(fewer, files, patches)})
        except ToolError as error:
            return brief(str(error))
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
    if not found:
        place = Place(f"overlays/{cluster.name}/kustomization.yaml")
        what = f"{cluster.name}: kustomize can't build the overlay: {brief(said)}"
        hint = "look at the resources and patches of this cluster"
        found.append(codes.KUSTOMIZE_FAILED.at(place, what, hint, clusters=about))
    return found


def stop_on_kustomize(compiled: Compiled, source: Source, kustomize: Kustomize) -> None:
    """Raises ProblemsError if mesh.yaml asks for another kustomize."""
    stop_on(check_requires.kustomize(compiled.mesh, source, str(kustomize.version)))

"""The stages of a compile in order, from the text of mesh.yaml to the content of overlays/."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from meshc import codes
from meshc.applied.check import AS_APPLIED, check_applied
from meshc.applied.laid_out import view_laid_out
from meshc.applied.view import offered_by
from meshc.charts import helm
from meshc.charts import render as charts
from meshc.components.registry import COMPONENTS
from meshc.components.services import copy_of
from meshc.delivery.deliver import check_delivery, delivery_tree
from meshc.delivery.registry import ENGINES
from meshc.delivery.stages import marked
from meshc.errors import Code, Place, Problem, ProblemsError, stop_on
from meshc.kube import KubeObject
from meshc.mesh import check_requires
from meshc.mesh.acknowledge import silence
from meshc.mesh.chart_files import by_digest
from meshc.mesh.check import ON_THE_FLEET, check
from meshc.mesh.exports import read_exports
from meshc.mesh.fleet import make_fleet
from meshc.mesh.inputs import Inputs, gather
from meshc.overlays.clashes import clashes
from meshc.overlays.gateways import check_gateways
from meshc.overlays.layout import Layout, lay_out
from meshc.overlays.patches import check_overlay, is_object
from meshc.plan.consequences import consequences
from meshc.plan.contradictions import contradictions
from meshc.plan.make import UNPLANNABLE, make_plan
from meshc.plan.needs import ChartNeed, SecretNeed
from meshc.secrets import door
from meshc.secrets.guard import check_inputs, plaintext_in
from meshc.secrets.inventory_guard import credentials_in
from meshc.secrets.pairs import one_way
from meshc.secrets.place import Sealed, place, unused
from meshc.secrets.plain_values import plain_secret
from meshc.secrets.registry import FORMS
from meshc.version import __version__

if TYPE_CHECKING:
    from meshc.delivery.contract import Applied
    from meshc.disk.repository import Repository
    from meshc.kube import Body
    from meshc.mesh.exports import Export
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.model import Mesh
    from meshc.mesh.source import Source
    from meshc.output.kustomize import Kustomize
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.tree import FileTree


@dataclass(frozen=True)
class Compiled:
    """A mesh that holds: its plan, the layout of overlays/, of output/_delivery/, and what is no error."""

    mesh: Mesh
    plan: Plan
    layout: Layout
    delivery: FileTree
    pending: tuple[str, ...]
    problems: tuple[Problem, ...]
    inputs: Inputs
    exports: tuple[Export, ...]
    settle: Callable[[Sequence[Problem], bool], list[Problem]] = field(repr=False)
    """Takes what is acknowledged out of what is found while rendering; the flag tells whether all was looked at."""

    @property
    def files(self) -> dict[str, bytes]:
        """Every file that the text of the mesh names, by its path from mesh.yaml. Packed charts are left out."""
        inputs, plan = self.inputs, self.plan
        found = dict(inputs.plain)
        found |= {f"{plan.sealed}/{path}": data for path, data in inputs.sealed.items()}
        found |= {f"{plan.certificates}/{path}": data for path, data in inputs.certificates.items()}
        for chart in inputs.charts.values():
            if not chart.path.endswith(".tgz"):
                found |= {f"{chart.path}/{path}": data for path, data in chart.files.items()}
        return found

    def with_problems(self, more: Iterable[Problem]) -> Compiled:
        """The same with what rendering found, each once."""
        found = dict.fromkeys([*self.problems, *more])
        return replace(self, problems=tuple(sorted(found, key=lambda p: p.order)))


def compile_mesh(
    source: Source, repository: Repository, kustomize: Callable[[], Kustomize], passed: Collection[Code] = ()
) -> Compiled:
    """Everything but the rendering: reads the inputs, checks the whole, lays out overlays/. Writes nothing.

    `kustomize` is only called where an input of the user's has to be built. `passed` are problems that a comparison
    can do with, such as a secret that isn't sealed yet. Raises ProblemsError with every problem
    that stands in the way, ToolError if kustomize is needed and missing.
    """
    mesh = _read(source)
    stop_on(check_requires.meshc(mesh, source, __version__))
    fleet = make_fleet(mesh, source.document)
    inputs, unread = gather(
        fleet, source, repository, lambda files, folder: kustomize().build(files, folder, repository)
    )
    exports, faults = read_exports(fleet, source, inputs)
    problems = [*unread, *faults, *check(fleet, source, inputs, exports), *check_inputs(inputs, source.shown)]
    if any(problem.code in UNPLANNABLE for problem in problems):
        raise ProblemsError(silence(problems, fleet, source, lambda _: False))

    plan = make_plan(fleet, source, exports, inputs)
    problems += [*contradictions(plan, fleet, source), *consequences(plan, fleet, source)]
    folder = source.shown(mesh.spec.security.secrets.directory)
    lowered = {cluster.name: list(_lower(plan, cluster)) for cluster in plan.clusters}
    rendered = _rendered(lowered, inputs, repository)
    unreadable = {problem.place.file for problem in problems if problem.code is codes.BAD_RESOURCE}
    parts = _assemble(plan, lowered, rendered, Sealed(inputs.sealed, inputs.certificates, folder), unreadable)
    applied = _applied(plan, parts)
    problems += [*parts.problems, *check_delivery(plan, applied, ENGINES, repository.from_top)]
    built_later = any(cluster.patches or cluster.components for cluster in plan.clusters)
    problems = [problem for problem in problems if problem.code not in passed]
    early = [problem for problem in problems if problem.code in AS_APPLIED]
    problems = silence(problems, fleet, source, lambda code: not (built_later and code in AS_APPLIED))
    stop_on(problems)

    def settle(found: Sequence[Problem], complete: bool) -> list[Problem]:
        return silence(found, fleet, source, lambda code: built_later and complete and code in AS_APPLIED, early)

    layout = lay_out(plan, parts.objects, parts.bases)
    stop_on(_disguised(plan, layout, source))
    delivery = delivery_tree(plan, applied, ENGINES)
    ordered = tuple(sorted(problems, key=lambda p: p.order))
    return Compiled(mesh, plan, layout, delivery, tuple(parts.pending), ordered, inputs, exports, settle)


def _disguised(plan: Plan, layout: Layout, source: Source) -> Iterator[Problem]:
    """Secrets in plain text that only show once values are written out: files that users copy in are read as bytes."""
    places = {cluster.name: cluster.place for cluster in plan.clusters}
    clean: set[bytes] = set()  # the files of charts are long, and the same in many clusters
    for path, data in layout.tree.items():
        leaks = [] if data in clean else list(plaintext_in(data, path, codes.PLAINTEXT_SECRET))
        if not leaks:
            clean.add(data)
        for found in leaks:
            place = places.get(path.partition("/")[0], source.document.place(("spec", "services")))
            yield replace(found, place=place, what=f"overlays/{path}: {found.what}")


def fleet_of(source: Source) -> Fleet:
    """The clusters of a mesh with their settings, as far as mesh.yaml alone tells. Raises ProblemsError."""
    return make_fleet(_read(source), source.document)


def _read(source: Source) -> Mesh:
    """What mesh.yaml and its parts say, searched for secrets before a message quotes a value. Raises ProblemsError."""
    for path, data in source.files.items():
        stop_on(plaintext_in(data, source.shown(path), codes.PLAINTEXT_SECRET))
    for inventory in source.inventories:
        stop_on(credentials_in(inventory, source.shown(inventory.path)))
    mesh, problems = source.parsed()
    if mesh is None:
        raise ProblemsError(problems)
    return mesh


def plan_mesh(source: Source) -> Plan:
    """The plan alone, for commands that make what a compile would miss: from mesh.yaml, without the files it names.

    Raises ProblemsError for faults of the text and the shape, and those without which there is no plan.
    """
    return mesh_and_plan(source)[1]


def mesh_and_plan(source: Source) -> tuple[Mesh, Plan]:
    """What mesh.yaml says, and its plan, for commands that change what it says. Raises ProblemsError as `plan_mesh`."""
    fleet = fleet_of(source)
    found = [problem for one in ON_THE_FLEET for problem in one(fleet, source)]
    stop_on(problem for problem in found if problem.code in UNPLANNABLE)
    return fleet.mesh, make_plan(fleet, source, (), Inputs())


def plan_for_values(source: Source) -> Plan:
    """The plan, for values of charts alone. Raises ProblemsError for values that contradict mesh.yaml, too."""
    plan = plan_mesh(source)
    stop_on(contradictions(plan, fleet_of(source), source))
    return plan


def needs_of(plan: Plan) -> list[SecretNeed]:
    """Every Secret that some cluster needs, in the order of the plan."""
    return [need for cluster in plan.clusters for _, need in _lower(plan, cluster) if isinstance(need, SecretNeed)]


def stop_on_kustomize(compiled: Compiled, source: Source, kustomize: Kustomize) -> None:
    """Raises ProblemsError if mesh.yaml asks for another kustomize."""
    stop_on(check_requires.kustomize(compiled.mesh, source, str(kustomize.version)))


@dataclass
class _Parts:
    """What the overlays are put together from: each cluster's objects with their files, and the shared copies."""

    objects: dict[str, list[tuple[str, KubeObject]]] = field(default_factory=dict)
    bases: dict[str, list[KubeObject]] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


_Lowered = Mapping[str, Sequence[tuple[str, KubeObject | SecretNeed | ChartNeed]]]


def _rendered(lowered: _Lowered, inputs: Inputs, repository: Repository) -> charts.Rendered:
    """The objects of every chart that some cluster needs."""
    needs = [item for items in lowered.values() for _, item in items if isinstance(item, ChartNeed)]
    return charts.render(needs, by_digest(inputs.charts.values()), lambda: helm.find(repository), repository, _open)


def _open(body: Body) -> bool:
    """Whether anyone may read an object: no cache keeps another."""
    return not any(plain_secret(body, lambda _: Place("")))


def _assemble(
    plan: Plan, lowered: _Lowered, rendered: charts.Rendered, sealed: Sealed, unreadable: Collection[str]
) -> _Parts:
    """Puts together what every component made in every cluster, what charts made, and a sealed object for each need."""
    parts = _Parts(bases={b.name: [KubeObject(copy_of(copy), "services") for copy in b.copies] for b in plan.bases})
    parts.problems += rendered.problems
    of_charts = iter(rendered.objects)
    touching = any(cluster.resources or cluster.charts for cluster in plan.clusters)
    offered = offered_by(plan) if touching else {}
    needs: list[SecretNeed] = []
    for cluster in plan.clusters:
        objects = parts.objects[cluster.name] = []
        placed_by_charts: list[tuple[Body, Place]] = []
        for file, item in lowered[cluster.name]:
            if isinstance(item, KubeObject):
                objects.append((file, KubeObject(marked(plan, item.body, item.origin), item.origin)))
                continue
            if isinstance(item, ChartNeed):
                bodies = next(of_charts)
                parts.problems += _plain_in_chart(item, bodies)
                parts.problems += door.check_chart(item, bodies, plan.istio_namespace)
                origin = f"chart {item.chart}"
                objects += [(file, KubeObject(marked(plan, body, origin), origin)) for body in bodies]
                placed_by_charts += [(body, item.place) for body in bodies]
                continue
            needs.append(item)
            placed = place(item, sealed, FORMS, cluster.place)
            parts.problems += placed.problems
            parts.pending += placed.pending
            objects += [(file, KubeObject(body, file.removesuffix(".yaml"))) for body in placed.bodies]
        shared = [one for name in cluster.bases for one in parts.bases[name]]
        parts.problems += check_overlay(cluster, [one for _, one in objects] + shared)
        if cluster.resources or placed_by_charts:
            every = [one for _, one in objects] + shared
            parts.problems += check_applied(view_laid_out(plan, cluster, every, placed_by_charts, offered, unreadable))
        parts.problems += check_gateways(cluster, [one for _, one in objects])
        parts.problems += door.check_resources(cluster, plan.istio_namespace, plan.ca)
        if cluster.charts:
            parts.problems += clashes(cluster, [one for _, one in objects] + shared, cluster.charts[0].place)
    primaries = [cluster.name for cluster in plan.clusters if cluster.role == "primary"]
    parts.pending = list(dict.fromkeys(parts.pending))
    parts.problems += [*unused(needs, sealed, primaries), *one_way(plan, needs, parts.pending)]
    return parts


def _plain_in_chart(need: ChartNeed, bodies: Sequence[Body]) -> Iterator[Problem]:
    """Secrets that a chart makes of values, or of nothing: anyone could read them in the repository."""
    for found in (found for body in bodies for found in plain_secret(body, lambda _: need.place)):
        what = f"{need.cluster}: chart {need.chart}: {found.what}"
        yield replace(found, what=what, clusters=(need.cluster,))


def _applied(plan: Plan, parts: _Parts) -> Applied:
    """What goes into each cluster before patches: meshc's objects, the shared copies, and those of the user's files."""
    return {
        cluster.name: [
            *(one.body for _, one in parts.objects[cluster.name]),
            *(one.body for name in cluster.bases for one in parts.bases[name]),
            *(one.body for file in cluster.resources for one in file.objects if is_object(one.body)),
        ]
        for cluster in plan.clusters
    }


def _lower(plan: Plan, cluster: ClusterPlan) -> Iterator[tuple[str, KubeObject | SecretNeed | ChartNeed]]:
    """The objects and needs of a cluster with their files, in registry order. A sealed Secret has a file of its own."""
    for name, component in COMPONENTS.items():
        for item in component.lower(plan, cluster):
            if isinstance(item, SecretNeed):
                yield item.file.rsplit("/", 1)[-1], item
            elif isinstance(item, ChartNeed):
                yield item.file, item
            else:
                yield f"{name}.yaml", KubeObject(item, name)

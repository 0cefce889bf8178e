"""The stages of a compile in order, from the text of mesh.yaml to the content of overlays/."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from meshc import codes
from meshc.charts.render import Steps, no_steps
from meshc.checks.acknowledge import silence
from meshc.checks.applied.check import AS_APPLIED
from meshc.checks.fleet import requires
from meshc.checks.plan.consequences import consequences
from meshc.checks.plan.contradictions import contradictions
from meshc.checks.registry import check, on_the_fleet
from meshc.delivery.deliver import check_delivery, delivery_tree
from meshc.delivery.registry import ENGINES
from meshc.errors import Code, Problem, ProblemsError, stop_on
from meshc.lowering import assemble, lower, render_charts
from meshc.mesh.exports import read_exports
from meshc.mesh.inputs import Inputs, gather
from meshc.mesh.overriding import make_fleet
from meshc.overlays.layout import Layout, lay_out
from meshc.plan.make import UNPLANNABLE, make_plan
from meshc.scanning.guard import check_inputs, plaintext_in
from meshc.scanning.inventory_guard import credentials_in
from meshc.scanning.searched import Searched
from meshc.sealing.place import Sealed
from meshc.version import __version__

if TYPE_CHECKING:
    from meshc.disk.repository import Repository
    from meshc.mesh.exports import Export
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.folder_builds import Builds, Folders
    from meshc.mesh.model import Mesh
    from meshc.mesh.source import Source
    from meshc.output.kustomize import Kustomize
    from meshc.plan.ir import Plan
    from meshc.scanning.guard import Search
    from meshc.tree import FileTree


@dataclass(frozen=True)
class Compiled:
    """A mesh without errors: its plan, the content of overlays/ and output/_delivery/, and its warnings and notices."""

    mesh: Mesh
    plan: Plan
    layout: Layout
    delivery: FileTree
    pending: tuple[str, ...]
    problems: tuple[Problem, ...]
    inputs: Inputs
    exports: tuple[Export, ...]
    settle: Callable[[Sequence[Problem], bool], list[Problem]] = field(repr=False)
    """Removes acknowledged problems from those that rendering finds. The flag is true if all clusters were rendered."""
    searched: Searched = field(repr=False)
    """The search for secrets with its results, which commands with a cache keep."""

    @property
    def files(self) -> dict[str, bytes]:
        """Every file that mesh.yaml and its parts name, by its path from mesh.yaml, except packed charts."""
        inputs, plan = self.inputs, self.plan
        found = dict(inputs.plain)
        found |= {f"{plan.sealed}/{path}": data for path, data in inputs.sealed.items()}
        found |= {f"{plan.certificates}/{path}": data for path, data in inputs.certificates.items()}
        for chart in inputs.charts.values():
            if not chart.path.endswith(".tgz"):
                found |= {f"{chart.path}/{path}": data for path, data in chart.files.items()}
        return found

    def with_problems(self, more: Iterable[Problem]) -> Compiled:
        """A copy with the problems that rendering found, without duplicates."""
        found = dict.fromkeys([*self.problems, *more])
        return replace(self, problems=tuple(sorted(found, key=lambda p: p.order)))


def compile_mesh(
    source: Source,
    repository: Repository,
    kustomize: Callable[[], Kustomize],
    passed: Collection[Code] = (),
    steps: Steps = no_steps,
) -> Compiled:
    """Does everything except rendering: reads the inputs, checks them, and lays out overlays/. Writes nothing.

    `kustomize` is called only if a user's input has to be built. `passed` are problems that a comparison accepts, such
    as a secret that isn't sealed yet. `steps` is called for each chart that is rendered. Raises ProblemsError with
    every problem that prevents a compile, ToolError if kustomize is needed and missing.
    """
    search = Searched(repository)
    mesh = _read(source)
    stop_on(requires.meshc(mesh, source, __version__))
    fleet = make_fleet(mesh, source.document)
    inputs, unread = gather(fleet, source, repository, lambda folders: _built(folders, kustomize, repository))
    exports, faults = read_exports(fleet, source, inputs)
    problems = [*unread, *faults, *check(fleet, source, inputs, exports), *check_inputs(inputs, source.shown, search)]
    if any(problem.code in UNPLANNABLE for problem in problems):
        raise ProblemsError(silence(problems, fleet, source, lambda _: False))

    plan = make_plan(fleet, source, exports, inputs)
    problems += [*contradictions(plan, fleet, source), *consequences(plan, fleet, source)]
    folder = source.shown(mesh.spec.security.secrets.directory)
    lowered = lower(plan)
    rendered = render_charts(lowered, inputs, repository, steps)
    unreadable = {problem.place.file for problem in problems if problem.code is codes.BAD_RESOURCE}
    parts = assemble(plan, lowered, rendered, Sealed(inputs.sealed, inputs.certificates, folder, search), unreadable)
    applied = parts.applied(plan)
    problems += [*parts.problems, *check_delivery(plan, applied, ENGINES, repository.from_top)]
    problems = [problem for problem in problems if problem.code not in passed]
    problems, settle = _acknowledged(problems, plan, fleet, source)
    stop_on(problems)
    layout = lay_out(plan, parts.objects, parts.bases)
    stop_on(_disguised(plan, layout, source, search))
    delivery = delivery_tree(plan, applied, ENGINES)
    found = tuple(sorted(problems, key=lambda p: p.order))
    return Compiled(mesh, plan, layout, delivery, tuple(parts.pending), found, inputs, exports, settle, search)


def _built(folders: Folders, kustomize: Callable[[], Kustomize], repository: Repository) -> Builds:
    from meshc.output.folders import build_folders  # imported late: few meshes have such folders

    return build_folders(kustomize(), repository, folders)


def _acknowledged(
    problems: Sequence[Problem], plan: Plan, fleet: Fleet, source: Source
) -> tuple[list[Problem], Callable[[Sequence[Problem], bool], list[Problem]]]:
    """The problems that aren't acknowledged, and `Compiled.settle` for the problems that rendering will find."""
    built_later = any(cluster.patches or cluster.components for cluster in plan.clusters)
    early = [problem for problem in problems if problem.code in AS_APPLIED]

    def settle(found: Sequence[Problem], complete: bool) -> list[Problem]:
        return silence(found, fleet, source, lambda code: built_later and complete and code in AS_APPLIED, early)

    return silence(problems, fleet, source, lambda code: not (built_later and code in AS_APPLIED)), settle


def _disguised(plan: Plan, layout: Layout, source: Source, search: Search) -> Iterator[Problem]:
    """Plain-text secrets that only the generated files show, because files that users copy in are searched only as
    bytes."""
    places = {cluster.name: cluster.place for cluster in plan.clusters}
    for path, data in layout.tree.items():
        for found in search(data, path, codes.PLAINTEXT_SECRET):
            place = places.get(path.partition("/")[0], source.document.place(("spec", "services")))
            yield replace(found, place=place, what=f"overlays/{path}: {found.what}")


def fleet_of(source: Source) -> Fleet:
    """The clusters of a mesh with their settings, from mesh.yaml alone. Raises ProblemsError."""
    return make_fleet(_read(source), source.document)


def _read(source: Source) -> Mesh:
    """Parses mesh.yaml and its parts. Searches them for secrets first, before a message quotes a value. Raises
    ProblemsError."""
    for path, data in source.files.items():
        stop_on(plaintext_in(data, source.shown(path), codes.PLAINTEXT_SECRET))
    for inventory in source.inventories:
        stop_on(credentials_in(inventory, source.shown(inventory.path)))
    mesh, problems = source.parsed()
    if mesh is None:
        raise ProblemsError(problems)
    return mesh


def plan_mesh(source: Source) -> Plan:
    """The plan from mesh.yaml alone, for commands that make files which a compile needs and which don't exist yet.

    Raises ProblemsError for wrong syntax, and for problems that prevent a plan.
    """
    return mesh_and_plan(source)[1]


def mesh_and_plan(source: Source) -> tuple[Mesh, Plan]:
    """The parsed mesh.yaml and its plan, for commands that edit mesh.yaml. Raises ProblemsError like `plan_mesh`."""
    fleet = fleet_of(source)
    stop_on(problem for problem in on_the_fleet(fleet, source) if problem.code in UNPLANNABLE)
    return fleet.mesh, make_plan(fleet, source, (), Inputs())


def plan_for_values(source: Source) -> Plan:
    """The plan, for commands that only need the Helm values. Raises ProblemsError, also for values that contradict
    mesh.yaml."""
    plan = plan_mesh(source)
    stop_on(contradictions(plan, fleet_of(source), source))
    return plan


def stop_on_kustomize(compiled: Compiled, source: Source, kustomize: Kustomize) -> None:
    """Raises ProblemsError if mesh.yaml requires another version of kustomize."""
    stop_on(requires.kustomize(compiled.mesh, source, str(kustomize.version)))

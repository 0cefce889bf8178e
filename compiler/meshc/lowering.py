"""Collects the objects of every cluster: from components, sealed Secrets, and charts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from meshc.charts import helm
from meshc.charts import render as charts
from meshc.checks.applied.check import AppliedChecks
from meshc.checks.applied.laid_out import Laid, view_laid_out
from meshc.checks.applied.view import offered_by
from meshc.checks.overlay.clashes import clashes
from meshc.checks.overlay.gateways import check_gateways
from meshc.checks.overlay.patches import check_overlay
from meshc.components.registry import COMPONENTS
from meshc.components.services import copy_of
from meshc.delivery.stages import marked
from meshc.errors import Place, Problem
from meshc.kube import KubeObject, is_object
from meshc.mesh.chart_files import by_digest
from meshc.plan.needs import ChartNeed, SecretNeed
from meshc.scanning.plain_values import plain_secret
from meshc.sealing.pairs import one_way
from meshc.sealing.place import Sealed, place, unused
from meshc.sealing.sources import Sources

if TYPE_CHECKING:
    from meshc.delivery.contract import Applied
    from meshc.disk.repository import Repository
    from meshc.kube import Body
    from meshc.mesh.inputs import Inputs
    from meshc.plan.ir import ClusterPlan, Plan

Lowered = Mapping[str, Sequence[tuple[str, KubeObject | SecretNeed | ChartNeed]]]
"""What components yield for each cluster, each with its file, in the order of the registry."""


@dataclass
class Parts:
    """The content of the overlays: each cluster's objects with their files, and the shared copies."""

    objects: dict[str, list[tuple[str, KubeObject]]] = field(default_factory=dict)
    bases: dict[str, list[KubeObject]] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def applied(self, plan: Plan) -> Applied:
        """The objects of each cluster before patches: meshc's, the shared copies, and the user's."""
        return {
            cluster.name: [
                *(one.body for _, one in self.objects[cluster.name]),
                *(one.body for name in cluster.bases for one in self.bases[name]),
                *(one.body for file in cluster.resources for one in file.objects if is_object(one.body)),
            ]
            for cluster in plan.clusters
        }


def lower(plan: Plan) -> Lowered:
    """The objects and needs of every cluster. Each sealed Secret has its own file."""
    return {cluster.name: list(_lowered(plan, cluster)) for cluster in plan.clusters}


def needs_of(plan: Plan) -> list[SecretNeed]:
    """Every Secret that a cluster needs, in the order of the plan."""
    return [need for items in lower(plan).values() for _, need in items if isinstance(need, SecretNeed)]


def _lowered(plan: Plan, cluster: ClusterPlan) -> Iterator[tuple[str, KubeObject | SecretNeed | ChartNeed]]:
    for name, component in COMPONENTS.items():
        for item in component.lower(plan, cluster):
            if isinstance(item, SecretNeed):
                yield item.file.rsplit("/", 1)[-1], item
            elif isinstance(item, ChartNeed):
                yield item.file, item
            else:
                yield f"{name}.yaml", KubeObject(item, name)


def render_charts(
    lowered: Lowered, inputs: Inputs, repository: Repository, steps: charts.Steps = charts.no_steps
) -> charts.Rendered:
    """The objects of every chart that a cluster needs."""
    needs = [item for items in lowered.values() for _, item in items if isinstance(item, ChartNeed)]
    files = by_digest(inputs.charts.values())
    return charts.render(needs, files, lambda: helm.find(repository), charts.Cache(repository, _open), steps)


def _open(body: Body) -> bool:
    """True if anyone may read the object. Caches keep no other objects."""
    return not any(plain_secret(body, lambda _: Place("")))


def assemble(
    plan: Plan, lowered: Lowered, rendered: charts.Rendered, sealed: Sealed, unreadable: Collection[str]
) -> Parts:
    """Joins the objects of components and charts with a sealed object for each need, and checks the result of each
    cluster.

    `unreadable` are the user's files for which a problem is already reported.
    """
    parts = Parts(bases={b.name: [KubeObject(copy_of(copy), "services") for copy in b.copies] for b in plan.bases})
    parts.problems += rendered.problems
    second = Sources(plan.istio_namespace, plan.ca)
    rendered_bodies, of_charts, checks = iter(rendered.objects), _OfCharts(plan, second), _Checks(plan, second)
    needs: list[SecretNeed] = []
    for cluster in plan.clusters:
        objects = parts.objects[cluster.name] = []
        placed_by_charts: list[tuple[Body, Place]] = []
        for file, item in lowered[cluster.name]:
            if isinstance(item, KubeObject):
                objects.append((file, KubeObject(marked(plan, item.body, item.origin), item.origin)))
            elif isinstance(item, ChartNeed):
                bodies = next(rendered_bodies)
                parts.problems += of_charts.problems(item, bodies)
                objects += [(file, one) for one in of_charts.objects(item, bodies)]
                placed_by_charts += [(body, item.place) for body in bodies]
            else:
                needs.append(item)
                placed = place(item, sealed, cluster.place)
                parts.problems += placed.problems
                parts.pending += placed.pending
                objects += [(file, KubeObject(body, file.removesuffix(".yaml"))) for body in placed.bodies]
        ours = [one for _, one in objects] + [one for name in cluster.bases for one in parts.bases[name]]
        parts.problems += checks.problems(cluster, Laid(ours, placed_by_charts, unreadable))
    primaries = [cluster.name for cluster in plan.clusters if cluster.role == "primary"]
    parts.pending = list(dict.fromkeys(parts.pending))
    parts.problems += [*unused(needs, sealed, primaries), *one_way(plan, needs, parts.pending)]
    return parts


class _OfCharts:
    """The objects of charts, and their problems. Both are made once for all clusters that share the rendered bodies."""

    def __init__(self, plan: Plan, second: Sources) -> None:
        self._plan, self._second = plan, second
        self._objects: dict[tuple[int, str], Sequence[KubeObject]] = {}
        self._problems: dict[int, Sequence[Problem]] = {}

    def objects(self, need: ChartNeed, bodies: Sequence[Body]) -> Sequence[KubeObject]:
        key, origin = (id(bodies), need.chart), f"chart {need.chart}"
        if key not in self._objects:
            self._objects[key] = [KubeObject(marked(self._plan, body, origin), origin) for body in bodies]
        return self._objects[key]

    def problems(self, need: ChartNeed, bodies: Sequence[Body]) -> Iterator[Problem]:
        """Secrets that a chart makes from values or generates, which anyone could read in the repository; and second
        sources of what istiod trusts."""
        if id(bodies) not in self._problems:
            plain = [one for body in bodies for one in plain_secret(body, lambda _: need.place)]
            self._problems[id(bodies)] = [*plain, *self._second.in_chart(bodies, need.place)]
        for found in self._problems[id(bodies)]:
            what = f"{need.cluster}: chart {need.chart}: {found.what}"
            yield replace(found, place=need.place, what=what, clusters=(need.cluster,))


class _Checks:
    """The checks of the clusters' objects. Those of an object that clusters share are made once."""

    def __init__(self, plan: Plan, second: Sources) -> None:
        self._plan, self._second, self._applied = plan, second, AppliedChecks()
        touching = any(cluster.resources or cluster.charts for cluster in plan.clusters)
        self._offered = offered_by(plan) if touching else {}

    def problems(self, cluster: ClusterPlan, laid: Laid) -> Iterator[Problem]:
        """The problems of one cluster's objects."""
        yield from check_overlay(cluster, laid.ours)
        if cluster.resources or laid.of_charts:
            yield from self._applied.check(view_laid_out(self._plan, cluster, laid, self._offered))
        yield from check_gateways(cluster, laid.ours)
        if cluster.charts:
            yield from clashes(cluster, laid.ours, cluster.charts[0].place)
        yield from self._second.in_resources(cluster)

"""consequences turns Helm values that are right in themselves, and change what objects of meshc's do, into warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.kube import as_list, at
from meshc.plan.values import charts_in, values_of

if TYPE_CHECKING:
    from meshc.errors import Path, Problem
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source
    from meshc.plan.ir import ClusterPlan, Plan

_OF_MESH: Path = ("spec", "istio", "values")


def consequences(plan: Plan, fleet: Fleet, source: Source) -> Iterator[Problem]:
    """One warning for each namespace that istiod is told to overlook, and for injection that nobody asked for."""
    for cluster in plan.clusters:
        if plan.generation == "istiod" and cluster.role == "primary" and cluster.values:
            member = next(member for member in fleet if member.name == cluster.name)
            yield from _of_primary(plan, cluster, member.path("istio", "values"), member.cluster.istio.values, source)


def _of_primary(
    plan: Plan, cluster: ClusterPlan, own_place: Path, own: Mapping[str, Any], source: Source
) -> Iterator[Problem]:
    values = next(
        (values_of(plan, cluster, *one[:2], one[3]) for one in charts_in(plan, cluster) if one[0] == "istiod"), {}
    )

    def place(*path: str) -> Path:
        return (*(own_place if at(own, *path) is not None else _OF_MESH), *path)

    selectors = as_list(at(values, "meshConfig", "discoverySelectors"))
    seen = {cluster.name: cluster, **{name: plan.cluster(name) for name in cluster.watched}} if selectors else {}
    for name, where in seen.items():
        matched = {one.name for one in where.namespaces for s in selectors if _selects(s, one.name, one.labels)}
        overlooked = [one.name for one in where.namespaces if one.name not in matched]
        if overlooked:
            shown = ", ".join(overlooked[:3]) + (f" and {len(overlooked) - 3} more" if len(overlooked) > 3 else "")
            what = f"istiod of {cluster.name} overlooks what is in these namespaces of {name}: {shown}"
            hint = "let meshConfig.discoverySelectors match a label that these namespaces have"
            path = place("meshConfig", "discoverySelectors")
            yield source.problem(codes.VALUE_REACHES, path, what, hint, key=True, clusters=(cluster.name,))
    everywhere = ("sidecarInjectorWebhook", "enableNamespacesByDefault")
    if str(at(values, *everywhere)).lower() == "true":
        what = f"{cluster.name}: pods of every namespace get a sidecar, of those too that mesh.yaml leaves out"
        hint = "take it out; namespaces in mesh.yaml tell which are in the mesh"
        yield source.problem(codes.VALUE_REACHES, place(*everywhere), what, hint, key=True, clusters=(cluster.name,))


def _selects(selector: Any, name: str, labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches a namespace. Kubernetes labels each one with its name."""
    known = {**labels, "kubernetes.io/metadata.name": name}
    exact = at(selector, "matchLabels")
    if any(known.get(key) != value for key, value in (exact.items() if isinstance(exact, Mapping) else ())):
        return False
    return all(_holds(one, known) for one in as_list(at(selector, "matchExpressions")))


def _holds(expression: Any, labels: Mapping[str, str]) -> bool:
    key, operator = str(at(expression, "key")), at(expression, "operator")
    values = as_list(at(expression, "values"))
    if operator in ("Exists", "DoesNotExist"):
        return bool((key in labels) == (operator == "Exists"))
    return bool((labels.get(key) in values) == (operator == "In"))

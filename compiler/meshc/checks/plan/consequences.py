"""Warns of Helm values that are valid but change what meshc's own objects do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.kube import as_list, at

if TYPE_CHECKING:
    from meshc.errors import Path, Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.source import Source
    from meshc.plan.ir import ClusterPlan, Plan

_OF_MESH: Path = ("spec", "istio", "values")
_EVERYWHERE = ("sidecarInjectorWebhook", "enableNamespacesByDefault")


def consequences(plan: Plan, fleet: Fleet, source: Source) -> Iterator[Problem]:
    """Warns of injection into every namespace, and of namespaces that istiod is configured to ignore."""
    with_values = [(cluster, member) for cluster, member in zip(plan.clusters, fleet, strict=True) if cluster.values]
    yield from _injection_everywhere(with_values, source)
    for cluster, member in with_values:
        if plan.generation == "istiod" and cluster.role == "primary":
            yield from _overlooked(plan, cluster, member, source)


def _place(member: Member, *path: str) -> Path:
    """The path in mesh.yaml where a Helm value is set: at the cluster, or else for the whole mesh."""
    own = at(member.cluster.istio.values, *path) is not None
    return (*(member.path("istio", "values") if own else _OF_MESH), *path)


def _injection_everywhere(clusters: Sequence[tuple[ClusterPlan, Member]], source: Source) -> Iterator[Problem]:
    told: dict[Path, list[str]] = {}
    for cluster, member in clusters:
        if str(at(cluster.values, *_EVERYWHERE)).lower() == "true":
            told.setdefault(_place(member, *_EVERYWHERE), []).append(cluster.name)
    for path, names in told.items():
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        what = f"{shown}: pods of every namespace get a sidecar, even in namespaces that mesh.yaml doesn't list"
        hint = "remove the value, and list the namespaces of the mesh under namespaces in mesh.yaml"
        yield source.problem(codes.VALUE_REACHES, path, what, hint, key=True, clusters=tuple(names))


def _overlooked(plan: Plan, cluster: ClusterPlan, member: Member, source: Source) -> Iterator[Problem]:
    """Namespaces that istiod ignores by its discoverySelectors, in the primary and in the clusters that it watches."""
    selectors = as_list(at(cluster.values, "meshConfig", "discoverySelectors"))
    seen = {cluster.name: cluster, **{name: plan.cluster(name) for name in cluster.watched}} if selectors else {}
    for name, where in seen.items():
        matched = {one.name for one in where.namespaces for s in selectors if _selects(s, one.name, one.labels)}
        overlooked = [one.name for one in where.namespaces if one.name not in matched]
        if overlooked:
            shown = ", ".join(overlooked[:3]) + (f" and {len(overlooked) - 3} more" if len(overlooked) > 3 else "")
            what = f"istiod of {cluster.name} ignores all objects in these namespaces of {name}: {shown}"
            hint = "add a label of these namespaces to meshConfig.discoverySelectors, or add a selected label to them"
            path = _place(member, "meshConfig", "discoverySelectors")
            yield source.problem(codes.VALUE_REACHES, path, what, hint, key=True, clusters=(cluster.name,))


def _selects(selector: Any, name: str, labels: Mapping[str, str]) -> bool:
    """True if a label selector matches a namespace. Kubernetes labels each namespace with its name."""
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

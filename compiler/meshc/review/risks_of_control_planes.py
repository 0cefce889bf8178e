"""Finds changes of istiods: where each runs, how clients reach it, and its identity.

A patch, another version of a chart or a file under `resources` can cause them without a change of mesh.yaml. This
module leaves out changes that the plans of both sides show, because `danger` reports them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.kube import Body, as_list, at
from meshc.review.diff import Action, Difference, Entry
from meshc.review.risks_of_objects import Risk, bodies
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan

_APPS = ("istiod", "istio-pilot", "pilot")
_PROGRAMS = ("Deployment", "StatefulSet", "DaemonSet")
_WAYS = ("Service", "Endpoints", "EndpointSlice")
_IDENTITY = ("CLUSTER_ID", "TRUST_DOMAIN", "REVISION")
"""Settings that define the identity of istiod."""
_OF_MESH = ("trustDomain", "rootNamespace")


def control_planes_at_risk(difference: Difference, before: Plan | None, after: Plan) -> Iterator[Risk]:
    """The risks, each with its clusters. `before` is None if the base has no readable mesh.yaml."""
    namespace = after.istio_namespace
    moved, named = _moved(difference, before, after), _named(difference, before, after)
    yield from _roles(difference, before, after)
    for entry, old, new in bodies(difference, Action.ADD, Action.CHANGE, Action.DELETE):
        stays = tuple(name for name in entry.clusters if name in difference.before and name in difference.after)
        if stays and entry.identity.namespace == namespace:
            yield from _of_object(entry, old, new, tuple(name for name in stays if name not in moved), named)
    if before is not None and before.trust_domain == after.trust_domain:
        yield from _settings(difference, namespace)


def _moved(difference: Difference, before: Plan | None, after: Plan) -> frozenset[str]:
    """Clusters whose role, address of the control plane, exposure or revision changes in mesh.yaml."""
    old = _by_new_name(difference, before)
    return frozenset(
        cluster.name
        for cluster in after.clusters
        if (was := old.get(cluster.name)) and _istiods(was) != _istiods(cluster)
    )


def _istiods(cluster: ClusterPlan) -> tuple[object, ...]:
    own = (cluster.role, cluster.attachment, cluster.exposure, cluster.revision, cluster.remotes)
    return (*own, cluster.control_planes, cluster.revision_tags)


def _named(difference: Difference, before: Plan | None, after: Plan) -> frozenset[str]:
    """Clusters whose ID changes in mesh.yaml."""
    old = _by_new_name(difference, before)
    return frozenset(one.name for one in after.clusters if one.name in old and old[one.name].id != one.id)


def _by_new_name(difference: Difference, before: Plan | None) -> Mapping[str, ClusterPlan]:
    return {difference.renamed.get(one.name, one.name): one for one in before.clusters} if before else {}


def _roles(difference: Difference, before: Plan | None, after: Plan) -> Iterator[Risk]:
    old = _by_new_name(difference, before)
    changed: dict[tuple[str, str], list[str]] = {}
    for cluster in after.clusters:
        was = old.get(cluster.name)
        if was and was.role != cluster.role:
            changed.setdefault((was.role, cluster.role), []).append(cluster.name)
    for (role_was, role_is), names in changed.items():
        what = f"the role is {role_is} instead of {role_was}, so sidecars connect to another control plane"
        yield Risk(codes.CONTROL_PLANE_ADDED, what, tuple(names))


def _of_object(entry: Entry, old: Body, new: Body, clusters: tuple[str, ...], named: frozenset[str]) -> Iterator[Risk]:
    kind, either = entry.identity.kind, new or old
    if not clusters or not _is_of_istiod(either):
        return
    if kind in _PROGRAMS and entry.action is not Action.CHANGE:
        comes = "a new control plane runs" if entry.action is Action.ADD else "the control plane no longer runs"
        yield Risk(codes.CONTROL_PLANE_ADDED, f"{entry.identity}: {comes}", clusters, entry.identity)
    elif kind in _PROGRAMS:
        was, now = _environment(old), _environment(new)
        for name in _IDENTITY:
            untold = tuple(one for one in clusters if name != "CLUSTER_ID" or one not in named)
            if was.get(name) != now.get(name) and untold:
                what = f"{entry.identity}: {name} is {_said(now.get(name))} instead of {_said(was.get(name))}"
                yield Risk(codes.MESH_IDENTITY, what, untold, entry.identity)
    elif kind in _WAYS and entry.action is Action.DELETE:
        what = f"{entry.identity} is deleted: sidecars can no longer find a control plane through it"
        yield Risk(codes.CONTROL_PLANE_MOVED, what, clusters, entry.identity)
    elif kind in _WAYS and entry.action is Action.CHANGE and _leads_to(old) != _leads_to(new):
        what = f"{entry.identity} points to {_shown(new)} instead of {_shown(old)}"
        yield Risk(codes.CONTROL_PLANE_MOVED, what, clusters, entry.identity)


def _is_of_istiod(body: Body) -> bool:
    return str(at(body, "metadata", "labels", "app")) in _APPS or str(at(body, "metadata", "name")).startswith("istiod")


def _environment(body: Body) -> dict[str, Any]:
    containers = as_list(at(body, "spec", "template", "spec", "containers"))
    listed = [one for container in containers for one in as_list(at(container, "env")) if isinstance(one, Mapping)]
    return {str(one.get("name")): one.get("value") for one in listed}


def _leads_to(body: Body) -> dict[str, Any]:
    """The destination of an object that has the name of a control plane."""
    of_service = {key: at(body, "spec", key) for key in ("externalName", "selector", "clusterIP", "type")}
    return {**of_service, **{key: body.get(key) for key in ("endpoints", "subsets")}}


def _shown(body: Body) -> str:
    found: list[str] = [str(at(body, "spec", "externalName") or "")]
    for group in (*as_list(body.get("endpoints")), *as_list(body.get("subsets"))):
        found += [str(at(one, "ip") or one) for one in as_list(at(group, "addresses"))]
    selector = at(body, "spec", "selector")
    if isinstance(selector, Mapping):
        found.append("pods with " + ", ".join(f"{key}={value}" for key, value in selector.items()))
    return ", ".join(one for one in found if one) or "nothing"


def _said(value: Any) -> str:
    return "absent" if value is None else f'"{value}"'


def _settings(difference: Difference, namespace: str) -> Iterator[Risk]:
    """Changes of identities in istiod's ConfigMap that don't come from mesh.yaml."""
    for entry, old, new in bodies(difference, Action.CHANGE):
        name = entry.identity.name
        if entry.identity.kind != "ConfigMap" or entry.identity.namespace != namespace or not name.startswith("istio"):
            continue
        was, now = _mesh(old), _mesh(new)
        for key in _OF_MESH:
            if was.get(key) != now.get(key):
                what = f"{entry.identity}: {key} is {_said(now.get(key))} instead of {_said(was.get(key))}"
                yield Risk(codes.MESH_IDENTITY, what, entry.clusters, entry.identity)


def _mesh(body: Body) -> Mapping[str, Any]:
    text = at(body, "data", "mesh")
    documents, faults = read(text.encode(), "mesh", strict=False) if isinstance(text, str) else ((), ())
    data = documents[0].data if documents and not faults else {}
    return data if isinstance(data, Mapping) else {}

"""Writes `namespaces` and `services` of a mesh.yaml from live namespaces and Services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshc.capture.adopted_revisions import revision_of_namespace
from meshc.capture.services import cleaned, is_copy, manifest
from meshc.capture.valued import mapping
from meshc.kube import as_list, at
from meshc.mesh.claims import not_copied
from meshc.yamltext.edit import inline

if TYPE_CHECKING:
    from meshc.capture.adopted import Adopted
    from meshc.capture.dump import Dump
    from meshc.capture.homes import Home
    from meshc.kube import Body

_WORKLOADS = {
    "Deployment": "deployments.apps",
    "StatefulSet": "statefulsets.apps",
    "DaemonSet": "daemonsets.apps",
    "Pod": "pods",
}
_ENDPOINTS = {"endpoints", "endpointslices.discovery.k8s.io"}


def namespaces(homes: Sequence[Home]) -> list[str]:
    """Each namespace of the mesh, with its clusters unless it is in all of them."""
    inside = [home for home in homes if not home.external]  # in the cluster of an external one no pod is in the mesh
    found: dict[str, list[str]] = {}
    for home in inside:
        for name in home.dataplanes:
            found.setdefault(name, []).append(home.name)
    revisions = {name: revision_of_namespace(name, inside) for name in found}
    ambient = {name for home in inside for name, dataplane in home.dataplanes.items() if dataplane == "ambient"}
    rows = [
        f"    - {{name: {inline(name)}{', dataplane: ambient' if name in ambient else ''}"
        f"{f', revision: {inline(revisions[name])}' if revisions[name] and name not in ambient else ''}"
        f"{'' if len(where) == len(homes) else f', clusters: {inline(where)}'}}}"
        for name, where in sorted(found.items())
    ]
    return ["  namespaces:", *rows] if rows else []


@dataclass(slots=True)
class _Seen:
    """The clusters where a Service runs, those where it has no pods, and those where this isn't known."""

    runs: dict[str, Body] = field(default_factory=dict)
    copies: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def services(homes: Sequence[Home], istio: str, made: Adopted) -> list[str]:
    """One entry for all Services of a namespace that run in the same clusters and are known in the same other
    clusters."""
    found = _seen([home for home in homes if not home.external], istio)
    groups: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Body]] = {}
    alone: list[str] = []
    for (namespace, name), one in sorted(found.items()):
        if one.unknown:
            where = ", ".join(one.unknown)
            made.notes.append(
                f"Service {namespace}/{name}: the dump doesn't show whether it has endpoints in {where}, "
                "so meshc writes no entry: dump endpointslices"
            )
        elif not one.runs:
            made.notes.append(f"Service {namespace}/{name}: it selects no pods, so meshc writes no entry")
        elif one.copies:
            bodies = groups.setdefault((namespace, (*one.runs,), (*one.copies,)), [])
            bodies.append(cleaned(next(iter(one.runs.values()))))
        else:
            alone.append(f"{namespace}/{name}")
    if alone:
        shown = ", ".join(alone[:5]) + (", ..." if len(alone) > 5 else "")
        made.notes.append(f"these Services exist only where they run, so meshc writes no entry: {shown}")
    lines: list[str] = []
    taken: set[str] = set()
    for (namespace, runs_in, copied), bodies in groups.items():
        name = namespace if namespace not in taken else f"{namespace}-{len(taken) + 1}"
        taken.add(name)
        made.files[f"apps/{name}/services.yaml"] = manifest(bodies)
        lines += [f"    - name: {inline(name)}", f"      manifests: apps/{name}"]
        lines += [f"      clusters: {inline(list(runs_in))}"]
        if len(runs_in) + len(copied) < len(homes):
            lines.append(f"      copyTo: {inline(list(copied))}")
    return ["  services:", *lines] if lines else []


def _seen(homes: Sequence[Home], istio: str) -> dict[tuple[str, str], _Seen]:
    found: dict[tuple[str, str], _Seen] = {}
    for home in homes:
        for body in home.dump.all("Service"):
            namespace, name = str(at(body, "metadata", "namespace")), str(at(body, "metadata", "name"))
            if namespace not in home.dataplanes or not_copied(namespace, name, istio, body):
                continue
            one = found.setdefault((namespace, name), _Seen())
            runs = _runs(home.dump, namespace, name, body)
            if runs:
                one.runs[home.name] = body
            else:
                (one.unknown if runs is None else one.copies).append(home.name)
    return found


def _runs(dump: Dump, namespace: str, name: str, service: Body) -> bool | None:
    """True if a Service selects pods, or a workload that is scaled to zero; None if it isn't known.

    Endpoints without a pod don't count: somebody wrote them, such as the addresses of another cluster.
    """
    if is_copy(service):
        return False
    selector = at(service, "spec", "selector")
    selects = isinstance(selector, dict) and bool(selector)
    if any(_leads_to_pods(one, selects) for one in _endpoints(dump, namespace, name)):
        return True
    if not selects:
        return False
    pods = [
        at(one, "spec", "template", "metadata", "labels") or at(one, "metadata", "labels")
        for kind in _WORKLOADS
        for one in dump.all(kind, namespace)
    ]
    if any(selector.items() <= mapping(labels).items() for labels in pods):
        return True
    looked = _ENDPOINTS & dump.known or any(dump.all(kind) for kind in _WORKLOADS if kind != "Deployment")
    return False if looked else None


def _endpoints(dump: Dump, namespace: str, name: str) -> list[Body]:
    slices = dump.all("EndpointSlice", namespace)
    mine = [one for one in slices if at(one, "metadata", "labels", "kubernetes.io/service-name") == name]
    found = [end for one in mine for end in as_list(one.get("endpoints"))]
    for body in dump.all("Endpoints", namespace, name):
        for subset in as_list(body.get("subsets")):
            found += [*as_list(at(subset, "addresses")), *as_list(at(subset, "notReadyAddresses"))]
    return found


def _leads_to_pods(endpoint: Body, selected: bool) -> bool:
    """Endpoints of a Service with a selector are always pods."""
    return selected or at(endpoint, "targetRef", "kind") == "Pod"

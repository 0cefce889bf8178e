"""Checks namespaces: application namespaces only, no duplicates, one owner, and manual injection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes
from meshc.kube import at
from meshc.mesh.selecting import selects
from meshc.mesh.service_files import Chosen
from meshc.mesh.user_files import objects_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshc.errors import Problem
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.inputs import Inputs
    from meshc.mesh.source import Source

_KUBERNETES_OWN = ("kube-system", "kube-public", "kube-node-lease")


def namespaces(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Only application namespaces are listed, and each of them once."""
    first: dict[str, int] = {}
    for number, namespace in enumerate(fleet.mesh.spec.namespaces):
        path = ("spec", "namespaces", number, "name")
        if namespace.name == fleet.mesh.spec.istio.namespace:
            what = f'"{namespace.name}" is Istio\'s own namespace; meshc makes it in every cluster anyway'
            yield source.problem(codes.RESERVED_NAMESPACE, path, what, "remove the entry")
        elif namespace.name in _KUBERNETES_OWN:
            what = f'"{namespace.name}" is a namespace of Kubernetes; sidecars in it can stop a cluster from starting'
            yield source.problem(codes.RESERVED_NAMESPACE, path, what, "remove the entry")
        elif namespace.name in first:
            also = source.document.place(("spec", "namespaces", first[namespace.name], "name"))
            what = f'"{namespace.name}" is listed twice'
            yield source.problem(codes.DUPLICATE_NAMESPACE, path, what, "merge the two entries", also=(also,))
        first.setdefault(namespace.name, number)


def manual_injection(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Warns of namespaces with sidecars in clusters without an injection webhook: a person must inject the sidecars."""
    for member in fleet:
        if member.cluster.sidecar_injection != "manual" or member in fleet.external:
            continue
        here = [
            n.name
            for n in fleet.mesh.spec.namespaces
            if n.dataplane == "sidecar" and selects(n.clusters, member.cluster)
        ]
        if here:
            what = f"{member.name}: injection is manual, so no webhook injects sidecars into {', '.join(here)}"
            compiled = fleet.classic or fleet.mesh.spec.istio.charts is not None
            program = f"meshc inject FILE --cluster {member.name}" if compiled else "istioctl kube-inject"
            hint = f"run {program} for every workload in these namespaces"
            yield source.problem(
                codes.MANUAL_INJECTION, member.path("sidecarInjection"), what, hint, clusters=(member.name,)
            )


def owners(fleet: Fleet, inputs: Inputs) -> Iterable[Problem]:
    """No Namespace is both in the user's manifests and made by meshc: the one applied last would set the labels."""
    spec = fleet.mesh.spec
    ours = {one.name: set(fleet.choose(one.clusters)) for one in spec.namespaces if one.managed}
    told: set[str] = set()
    for entry in spec.services:
        homes = fleet.choose_workloads(entry.clusters)
        for manifest, path, data in objects_in(inputs.manifests.get(Chosen.of(entry), ()) if entry.manifests else ()):
            name = at(data, "metadata", "name")
            if at(data, "kind") != "Namespace" or name not in ours or name in told:
                continue
            both = tuple(cluster for cluster in homes if cluster in ours[name])
            if both:
                told.add(name)
                what = f'Namespace "{name}" is also made by meshc in {", ".join(both[:3])}: two owners set its labels'
                hint = "remove the Namespace from the manifests, or write managed: false for it in mesh.yaml"
                yield codes.TWO_OWNERS.at(manifest.place((*path, "metadata", "name")), what, hint, clusters=both)

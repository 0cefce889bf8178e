"""Ambient namespaces: what Istio supports between clusters, which is primaries in networks of their own, from 1.27.

https://istio.io/latest/docs/ambient/install/multicluster/ has the limits, and says what is merely untried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from meshc import codes
from meshc.kube import Version
from meshc.mesh.charts import AT, wanted
from meshc.mesh.fleet import selects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshc.errors import Path, Problem
    from meshc.mesh.exports import Export
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.source import Source

GLOBAL = "istio.io/global"
"""The label by which Services are seen from other clusters, by the settings of Istio's ambient profile."""

_FIRST_BETWEEN_CLUSTERS = Version(1, 27)


def ambient(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Ambient is istiod's; between clusters it takes primaries, networks of their own, and a version that knows it."""
    for number, namespace in enumerate(fleet.mesh.spec.namespaces):
        if namespace.dataplane != "ambient":
            continue
        path: Path = ("spec", "namespaces", number, "dataplane")
        if fleet.classic:
            what = f"{namespace.name}: classic Istio has sidecars only"
            yield source.problem(codes.WRONG_GENERATION, path, what, "write dataplane: sidecar, or take it out")
            continue
        remotes = tuple(one.name for one in fleet.remotes if selects(namespace.clusters, one.cluster))
        if remotes:
            told = "is a remote" if len(remotes) == 1 else "are remotes"
            what = f"{namespace.name}: {_and(remotes)} {told}, and ambient pods need an istiod in their own cluster"
            hint = "give them role: primary, or leave them out of the namespace's clusters"
            yield source.problem(codes.AMBIENT_REMOTE, path, what, hint, clusters=remotes)
    members = () if fleet.classic else fleet.ambient
    if len(members) > 1:
        yield from _old(fleet, source, members)
        yield from _near(fleet, source, members)
    for member in members:
        yield from _charts(fleet, source, member)


def _old(fleet: Fleet, source: Source, members: Sequence[Member]) -> Iterator[Problem]:
    for member in members:
        version = fleet.version_of(member)
        if version < _FIRST_BETWEEN_CLUSTERS:
            what = f"{member.name}: ambient between clusters began with Istio 1.27, and {version} runs here"
            hint = "upgrade Istio, or write dataplane: sidecar"
            own = member.cluster.istio.version is not None
            path = member.path("istio", "version") if own else ("spec", "istio", "version")
            yield source.problem(codes.AMBIENT_TOO_OLD, path, what, hint, clusters=(member.name,))


def _near(fleet: Fleet, source: Source, members: Sequence[Member]) -> Iterator[Problem]:
    together: dict[str | None, list[Member]] = {}
    for member in members:
        together.setdefault(fleet.network_of(member), []).append(member)
    for network, some in together.items():
        if len(some) > 1:
            names = tuple(member.name for member in some)
            where = f'network "{network}"' if network else "one network"
            what = f"{_and(names)} have ambient namespaces in {where}, which Istio neither tests nor supports"
            hint = "declare a network with a gateway for each, or acknowledge it"
            path = some[1].path("network") if some[1].cluster.network else some[1].path("name")
            yield source.problem(codes.AMBIENT_IN_ONE_NETWORK, path, what, hint, clusters=names)


def _charts(fleet: Fleet, source: Source, member: Member) -> Iterator[Problem]:
    there = {one.chart for one in wanted(fleet, member)}
    missing = [chart for chart in ("cni", "ztunnel") if chart not in there]
    if there and missing:
        what = f"{member.name}: ambient namespaces, and no chart {' or '.join(missing)}, which carry their traffic"
        hint = f"add {{chart: {missing[0]}}} to charts.also, or acknowledge it where they come from elsewhere"
        yield source.problem(codes.AMBIENT_CHARTS, AT, what, hint, key=True, clusters=(member.name,))


def scope(fleet: Fleet, exports: Sequence[Export]) -> Iterable[Problem]:
    """A Service with copies elsewhere says itself that others may see it: its manifest has the label."""
    ambient = {namespace.name for namespace in fleet.mesh.spec.namespaces if namespace.dataplane == "ambient"}
    for export in exports:
        inline = fleet.mesh.spec.services[export.entry].manifests is None
        if export.namespace in ambient and export.clients and not inline and export.labels.get(GLOBAL) != "true":
            what = (
                f"Service {export.namespace}/{export.name} isn't labelled {GLOBAL}, so no other cluster sees its pods"
            )
            hint = f'add the label {GLOBAL}: "true" to the manifest; its copies get it'
            yield codes.NOT_GLOBAL.at(export.place, what, hint, clusters=export.homes)


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]

"""The only list of the checks of mesh.yaml and of the files that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from meshc.checks.fleet import (
    addresses,
    ambient,
    charts,
    classic_addresses,
    clusters,
    copies,
    delivery,
    external,
    files,
    generation,
    ids,
    injection_urls,
    kubernetes_versions,
    labels,
    namespaces,
    networks,
    plane_services,
    ranges,
    remote_secrets,
    revisions,
    services,
    trust,
    versions,
)
from meshc.generation import Generation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshc.errors import Problem
    from meshc.mesh.exports import Export
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.inputs import Inputs
    from meshc.mesh.source import Source

_Check = Callable[["Fleet", "Source"], Iterable["Problem"]]

_OF_BOTH: tuple[_Check, ...] = (
    clusters.names,
    ids.clusters,
    ids.networks,
    clusters.selections,
    clusters.primaries,
    clusters.roles,
    external.workloads,
    external.https,
    networks.names,
    networks.gateways,
    networks.selectors,
    clusters.api_servers,
    versions.istio,
    versions.lost_endpoints,
    versions.tags,
    versions.skew,
    versions.primaries,
    kubernetes_versions.kubernetes,
    ranges.ranges,
    addresses.addresses,
    addresses.ranges_of_addresses,
    addresses.exposure,
    namespaces.namespaces,
    namespaces.manual_injection,
    labels.owned,
    services.entries,
    delivery.delivery,
    delivery.clusters,
    charts.charts,
    ambient.charts,
)
_OF_ISTIOD: tuple[_Check, ...] = (
    generation.of_classic,
    ids.paths,
    external.control_planes,
    networks.several,
    revisions.control_planes,
    revisions.versions_apart,
    revisions.tags,
    revisions.namespaces,
    revisions.gateways,
    revisions.addresses,
    plane_services.names,
    remote_secrets.forms,
    injection_urls.injection_urls,
    labels.pod_security,
    charts.gateways,
    ambient.topology,
    ambient.versions,
    ambient.aliases,
    ambient.beside_sidecars,
    ambient.ports,
)
_OF_CLASSIC: tuple[_Check, ...] = (
    generation.of_istiod,
    classic_addresses.pilot_name,
    classic_addresses.mixer,
    charts.of_istiod,
)

_OF: Mapping[Generation, tuple[_Check, ...]] = {Generation.CLASSIC: _OF_CLASSIC, Generation.ISTIOD: _OF_ISTIOD}


def on_the_fleet(fleet: Fleet, source: Source) -> list[Problem]:
    """The problems that can be found from mesh.yaml alone."""
    return [problem for one in (*_OF_BOTH, *_OF[fleet.generation]) for problem in one(fleet, source)]


def check(fleet: Fleet, source: Source, inputs: Inputs, exports: Sequence[Export]) -> list[Problem]:
    """All problems of mesh.yaml and of the files that it names. Writes nothing."""
    problems = on_the_fleet(fleet, source)
    problems += services.clashes(fleet, exports)
    problems += services.namespaces_of_copies(fleet, source, exports)
    problems += copies.names(fleet, exports)
    problems += copies.served(fleet, exports)
    problems += [found for one in _WITH_INPUTS[fleet.generation] for found in one(fleet, source, inputs, exports)]
    problems += namespaces.owners(fleet, inputs)
    problems += files.resources(source, inputs)
    problems += files.changed_on_the_way(inputs)
    problems += trust.chains(fleet, source, inputs)
    return problems


def _of_istiod(fleet: Fleet, source: Source, inputs: Inputs, exports: Sequence[Export]) -> Iterator[Problem]:
    yield from copies.headless(fleet, exports)
    yield from copies.dataplanes(fleet, source, exports)
    yield from copies.callers(fleet, source, exports)
    yield from ambient.services(fleet, exports)
    yield from ambient.gateway_api(fleet, source, inputs)


_WITH_INPUTS: Mapping[
    Generation, tuple[Callable[[Fleet, Source, Inputs, Sequence[Export]], Iterator[Problem]], ...]
] = {
    Generation.CLASSIC: (),
    Generation.ISTIOD: (_of_istiod,),
}

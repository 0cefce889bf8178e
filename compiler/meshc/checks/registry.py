"""The checks of what mesh.yaml says, and of the files that it names. This is the only list of them."""

from __future__ import annotations

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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from meshc.errors import Problem
    from meshc.mesh.exports import Export
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.inputs import Inputs
    from meshc.mesh.source import Source

ON_THE_FLEET: tuple[Callable[[Fleet, Source], Iterable[Problem]], ...] = (
    clusters.names,
    ids.clusters,
    ids.networks,
    ids.paths,
    clusters.selections,
    clusters.primaries,
    clusters.roles,
    external.control_planes,
    external.workloads,
    external.https,
    networks.names,
    networks.several,
    networks.gateways,
    networks.selectors,
    clusters.api_servers,
    versions.istio,
    versions.lost_endpoints,
    versions.tags,
    versions.skew,
    versions.primaries,
    versions.kubernetes,
    generation.generation,
    revisions.control_planes,
    revisions.versions_apart,
    revisions.tags,
    revisions.namespaces,
    revisions.gateways,
    revisions.addresses,
    plane_services.names,
    remote_secrets.forms,
    ranges.ranges,
    addresses.addresses,
    addresses.ranges_of_addresses,
    injection_urls.injection_urls,
    classic_addresses.pilot_name,
    classic_addresses.mixer,
    addresses.exposure,
    namespaces.namespaces,
    namespaces.manual_injection,
    labels.owned,
    labels.pod_security,
    services.entries,
    delivery.delivery,
    delivery.clusters,
    charts.charts,
    charts.gateways,
    ambient.topology,
    ambient.versions,
    ambient.aliases,
    ambient.charts,
    ambient.beside_sidecars,
    ambient.ports,
)
"""Checks that mesh.yaml alone decides."""


def check(fleet: Fleet, source: Source, inputs: Inputs, exports: Sequence[Export]) -> list[Problem]:
    """Every problem between the parts of a mesh, those of the files it names among them. Touches nothing."""
    problems = [problem for one in ON_THE_FLEET for problem in one(fleet, source)]
    problems += services.clashes(fleet, exports)
    problems += services.namespaces_of_copies(fleet, source, exports)
    problems += copies.names(fleet, exports)
    problems += copies.served(fleet, exports)
    problems += copies.headless(fleet, exports)
    problems += copies.dataplanes(fleet, source, exports)
    problems += copies.callers(fleet, source, exports)
    problems += ambient.services(fleet, exports)
    problems += ambient.gateway_api(fleet, source, inputs)
    problems += namespaces.owners(fleet, inputs)
    problems += files.resources(source, inputs)
    problems += files.changed_on_the_way(inputs)
    problems += trust.chains(fleet, source, inputs)
    return problems

"""check turns a mesh into the problems that hold between its parts. Here alone stands the list of checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.mesh import (
    check_addresses,
    check_ambient,
    check_charts,
    check_clusters,
    check_copies,
    check_delivery,
    check_external,
    check_files,
    check_generation,
    check_ids,
    check_labels,
    check_namespaces,
    check_networks,
    check_plane_services,
    check_ranges,
    check_remote_secrets,
    check_revisions,
    check_services,
    check_trust,
    check_versions,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from meshc.errors import Problem
    from meshc.mesh.exports import Export
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.inputs import Inputs
    from meshc.mesh.source import Source

ON_THE_FLEET: tuple[Callable[[Fleet, Source], Iterable[Problem]], ...] = (
    check_clusters.names,
    check_ids.clusters,
    check_ids.networks,
    check_ids.paths,
    check_clusters.selections,
    check_clusters.primaries,
    check_clusters.roles,
    check_external.control_planes,
    check_external.workloads,
    check_external.https,
    check_networks.names,
    check_networks.several,
    check_networks.gateways,
    check_networks.selectors,
    check_clusters.api_servers,
    check_versions.istio,
    check_versions.lost_endpoints,
    check_versions.tags,
    check_versions.skew,
    check_versions.primaries,
    check_versions.kubernetes,
    check_generation.generation,
    check_revisions.control_planes,
    check_revisions.versions_apart,
    check_revisions.tags,
    check_revisions.namespaces,
    check_revisions.gateways,
    check_revisions.addresses,
    check_plane_services.names,
    check_remote_secrets.forms,
    check_ranges.ranges,
    check_addresses.addresses,
    check_addresses.ranges_of_addresses,
    check_addresses.injection_urls,
    check_addresses.pilot_name,
    check_addresses.mixer,
    check_addresses.exposure,
    check_namespaces.namespaces,
    check_namespaces.manual_injection,
    check_labels.owned,
    check_labels.pod_security,
    check_services.entries,
    check_delivery.delivery,
    check_delivery.clusters,
    check_charts.charts,
    check_charts.gateways,
    check_ambient.topology,
    check_ambient.versions,
    check_ambient.aliases,
    check_ambient.charts,
    check_ambient.beside_sidecars,
    check_ambient.ports,
)
"""Checks that mesh.yaml alone decides."""


def check(fleet: Fleet, source: Source, inputs: Inputs, exports: Sequence[Export]) -> list[Problem]:
    """Every problem between the parts of a mesh, those of the files it names among them. Touches nothing."""
    problems = [problem for one in ON_THE_FLEET for problem in one(fleet, source)]
    problems += check_services.clashes(fleet, exports)
    problems += check_services.namespaces_of_copies(fleet, source, exports)
    problems += check_copies.names(fleet, exports)
    problems += check_copies.served(fleet, exports)
    problems += check_copies.headless(fleet, exports)
    problems += check_copies.dataplanes(fleet, source, exports)
    problems += check_copies.callers(fleet, source, exports)
    problems += check_ambient.services(fleet, exports)
    problems += check_ambient.gateway_api(fleet, source, inputs)
    problems += check_namespaces.owners(fleet, inputs)
    problems += check_files.resources(source, inputs)
    problems += check_files.changed_on_the_way(inputs)
    problems += check_trust.chains(fleet, source, inputs)
    return problems

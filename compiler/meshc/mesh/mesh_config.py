"""Reads settings of MeshConfig from the Helm values that mesh.yaml gives a control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshc.kube import as_list, at
from meshc.mesh.charts import wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshc.mesh.fleet import Fleet, Member


def settings_of(fleet: Fleet, member: Member, *path: str) -> Any:
    """The value at a path of meshConfig: chart istiod's own, else the cluster's, else the mesh's; None without one."""
    for values in _values(fleet, member):
        found = at(values, "meshConfig", *path)
        if found is not None:
            return found
    return None


def captures_dns(fleet: Fleet, member: Member) -> bool:
    """True if sidecars of a cluster capture DNS, from the values of their control plane."""
    primary = fleet.primary_of(member) if member.cluster.role == "remote" else member
    path = ("defaultConfig", "proxyMetadata", "ISTIO_META_DNS_CAPTURE")
    return primary is not None and str(settings_of(fleet, primary, *path)).lower() == "true"


def scope_labels(fleet: Fleet) -> frozenset[str]:
    """Labels by which meshConfig.serviceScopeConfigs select Services; copies must keep these labels."""
    return frozenset(key for member in fleet.primaries for key in _selected(fleet, member))


def _selected(fleet: Fleet, member: Member) -> Iterator[str]:
    for scope in as_list(settings_of(fleet, member, "serviceScopeConfigs")):
        labels = at(scope, "servicesSelector", "matchLabels")
        yield from (str(key) for key in (labels if isinstance(labels, dict) else ()))
        yield from (str(at(one, "key")) for one in as_list(at(scope, "servicesSelector", "matchExpressions")))


def _values(fleet: Fleet, member: Member) -> Iterator[Any]:
    yield from (one.values for one in wanted(fleet, member) if one.chart == "istiod")
    yield member.cluster.istio.values
    yield fleet.mesh.spec.istio.values

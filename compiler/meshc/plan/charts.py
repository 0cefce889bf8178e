"""Finds the charts of a cluster, and the user's values for them, from mesh.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from meshc.mesh.charts import wanted
from meshc.plan.ir import ChartPlan

if TYPE_CHECKING:
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.inputs import Inputs
    from meshc.mesh.source import Source


def charts_of(fleet: Fleet, source: Source, member: Member, inputs: Inputs) -> tuple[ChartPlan, ...]:
    """The charts of a cluster. A chart that couldn't be read has no digest; another check reports it."""
    return tuple(
        ChartPlan(
            chart=one.chart,
            digest=chart.digest if (chart := inputs.charts.get((one.chart, str(one.version)))) else "",
            release=one.release,
            namespace=one.namespace,
            values=one.values,
            place=source.document.place(one.at),
            version=one.version,
            revision=one.revision,
        )
        for one in wanted(fleet, member)
    )


def given_values(fleet: Fleet, member: Member) -> Mapping[str, Any]:
    """The user's values for the control plane's charts: the cluster's values, merged over the mesh's.

    The mesh's `profile` is only for control planes: a remote must keep profile `remote`.
    """
    of_mesh = dict(fleet.mesh.spec.istio.values)
    if member.cluster.role == "remote":
        of_mesh.pop("profile", None)
    return merged(of_mesh, member.cluster.istio.values)


def merged(one: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merges values as helm does: mappings are merged, everything else is replaced."""
    result = dict(one)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result

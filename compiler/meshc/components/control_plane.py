"""The needs for Istio's own charts, if mesh.yaml has `istio.charts`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc.mesh.charts import release_of
from meshc.plan.needs import ChartNeed
from meshc.plan.values import values_of

if TYPE_CHECKING:
    from meshc.plan.ir import ChartPlan, ClusterPlan, Plan


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[ChartNeed]:
    """A need for each chart, in the order of installation."""
    own = release_of("istiod", cluster.revision)
    for one in cluster.charts:
        yield ChartNeed(
            cluster=cluster.name,
            file=f"{one.release}.yaml" if one.chart == "istiod" and one.release != own else _file(one),
            chart=one.chart,
            version=one.version,
            digest=one.digest,
            release=one.release,
            namespace=one.namespace,
            values=values_of(plan, cluster, one.chart, one.release, one.values),
            kubernetes=cluster.kubernetes,
            place=one.place,
        )


_FILES = {"base": "istio-base", "cni": "istio-cni"}


def _file(one: ChartPlan) -> str:
    """The file of a chart's objects. Gateways use their release names, because a cluster may have several of them."""
    return f"gateway-{one.release}.yaml" if one.chart == "gateway" else f"{_FILES.get(one.chart, one.chart)}.yaml"


def renders(cluster: ClusterPlan, *charts: str) -> bool:
    """True if a cluster is rendered with one of these charts, which then replaces the built-in component."""
    return any(one.chart in charts for one in cluster.charts)

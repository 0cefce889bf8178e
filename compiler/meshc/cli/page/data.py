"""Makes the data of a report for the page's script. The data is small, because each text and each set is in it only
once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from meshc.plain import plain

if TYPE_CHECKING:
    from meshc.commands.report import Report
    from meshc.plan.route import Route


class _Table:
    """A list of distinct values, which are referred to by their index."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def number(self, value: Any) -> int:
        return self._numbers.setdefault(value, len(self._numbers))

    @property
    def values(self) -> list[Any]:
        return list(self._numbers)


def data_of(found: Report) -> dict[str, Any]:
    """Clusters, Services and routes. Each cluster, text, set and route is represented by its index in a list."""
    plan, atlas = found.compiled.plan, found.routes
    at = {cluster.name: number for number, cluster in enumerate(plan.clusters)}
    texts, sets, rows = _Table(), _Table(), _Table()
    services = []
    for export, row in zip(found.compiled.exports, atlas.at, strict=True):
        away = {*export.homes, *export.occupied}
        clients = sets.number(tuple(at[name] for name in export.clients if name not in away))
        homes = sets.number(tuple(at[name] for name in export.homes))
        services.append([plain(export.namespace), plain(export.name), homes, clients, rows.number(_runs(row))])
    return {
        "clusters": [[plain(cluster.name), _labels(cluster.labels)] for cluster in plan.clusters],
        "services": services,
        "sets": [list(one) for one in sets.values],
        "rows": [list(one) for one in rows.values],
        "routes": [_route(one, at, texts) for one in atlas.found],
        "losses": [[route, at[name], after] for (route, name), after in atlas.losses.items()],
        "domain": plain(plan.cluster_domain),
        "texts": texts.values,
    }


def _labels(labels: Any) -> list[str]:
    return [plain(f"{key}={value}") for key, value in sorted(labels.items())]


def _runs(row: Sequence[int]) -> tuple[int, ...]:
    """A row of numbers as pairs: a number, and the number of times it is repeated (run-length encoding)."""
    return tuple(part for number, run in groupby(row) for part in (number, sum(1 for _ in run)))


def _route(one: Route, at: dict[str, int], texts: _Table) -> list[Any]:
    def told(lines: Iterable[str]) -> list[int]:
        return [texts.number(plain(line)) for line in lines]

    ends = [
        [at[end.cluster], *told([end.network or "", end.transport, end.signed_by, end.why]), told(end.gateways)]
        for end in one.ends
    ]
    planes = [at[name] for name in one.control_planes]
    return [*told([one.resolves, one.why]), planes, ends, told(one.remarks)]

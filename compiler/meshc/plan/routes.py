"""Finds the routes of all clusters to all Services, and computes equal routes only once.

In a fleet, most callers have the same route, and so do most Services.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from meshc.plan.route import Route, route_to

if TYPE_CHECKING:
    from meshc.mesh.exports import Export
    from meshc.plan.ir import ClusterPlan, Plan


@dataclass(frozen=True, slots=True)
class Routes:
    """`found` has the distinct routes, without caller and host. `at` has, for each Service, a number for each cluster.

    These numbers are positions in `found`. `losses` has, by a route's number and a cluster on the route, the number of
    the route after the loss of that cluster.
    """

    found: tuple[Route, ...]
    at: tuple[tuple[int, ...], ...]
    losses: Mapping[tuple[int, str], int]


def routes(plan: Plan, exports: Sequence[Export], pending: Collection[str], most: int) -> Routes:
    """The routes of all clusters to the Services, both in their order. `losses` is empty if it had more than `most`."""
    atlas = _Atlas(plan, frozenset(pending))
    at = tuple(atlas.row(export) for export in exports)
    parts = list(atlas.parts())
    losses = {(number, name): atlas.lost(number, name) for number, name in (parts if len(parts) <= most else ())}
    return Routes(tuple(atlas.found), at, losses)


_CALLERS = 2


@dataclass(frozen=True, slots=True)
class _Atlas:
    """The distinct routes by number, each with calls of up to two callers, because one of the callers may be lost."""

    plan: Plan
    pending: frozenset[str]
    found: dict[Route, int] = field(default_factory=dict)
    calls: list[dict[str, tuple[ClusterPlan, Export]]] = field(default_factory=list)
    _rows: dict[object, tuple[int, ...]] = field(default_factory=dict)

    def row(self, export: Export) -> tuple[int, ...]:
        """The numbers of the routes to a Service, one for each cluster."""
        service = (export.homes, export.clients, export.occupied, export.traits, export.namespace)
        if service not in self._rows:
            self._rows[service] = tuple(self._numbers(export))
        return self._rows[service]

    def _numbers(self, export: Export) -> Iterator[int]:
        """Computes one route for all callers in an equal position. Each cluster that runs the Service has its own."""
        homes, clients = frozenset(export.homes), frozenset(export.clients)
        seen: dict[object, int] = {}
        for caller in self.plan.clusters:
            name = caller.name
            own = name if name in homes else ""
            position = (
                own,
                name in clients,
                name in export.occupied,
                caller.network,
                _planes(caller),
                caller.is_external,
            )
            if position not in seen:
                seen[position] = self._kept(caller, export)
            self._note(seen[position], caller, export)
            yield seen[position]

    def _kept(self, caller: ClusterPlan, export: Export, lost: Collection[str] = ()) -> int:
        """The number of a route. Routes that differ only in caller and host have one number."""
        route = replace(route_to(self.plan, caller, export, self.pending, lost), caller="", host="")
        if route not in self.found:
            self.found[route] = len(self.found)
            self.calls.append({})
        return self.found[route]

    def _note(self, number: int, caller: ClusterPlan, export: Export) -> None:
        if len(self.calls[number]) < _CALLERS:
            self.calls[number].setdefault(caller.name, (caller, export))

    def parts(self) -> Iterator[tuple[int, str]]:
        """Each route's number, with each cluster whose loss may change the route."""
        for number, (route, calls) in enumerate(zip(self.found, self.calls, strict=True)):
            names = dict.fromkeys([*(end.cluster for end in route.ends), *route.control_planes])
            yield from ((number, name) for name in names if calls.keys() - {name})

    def lost(self, number: int, name: str) -> int:
        """The number of a route after the loss of a cluster."""
        caller, export = next(call for caller, call in self.calls[number].items() if caller != name)
        return self._kept(caller, export, frozenset([name]))


def _planes(caller: ClusterPlan) -> tuple[str, ...]:
    """The clusters that run the control planes of a caller, as in `route_to`."""
    if not caller.control_planes:
        return (caller.attachment.primary if caller.attachment else caller.name,)
    return tuple(dict.fromkeys(one.attachment.primary if one.attachment else caller.name for one in caller.planes))

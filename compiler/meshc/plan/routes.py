"""Works out the route of every cluster to every Service, each distinct route once.

In a fleet most callers are in one position, and most Services too.
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
    """`found` are the distinct routes, whose caller and host are empty; `at` has, for each Service, one a cluster.

    `losses` has the same route after the loss of a cluster that takes part in it, by its number and that cluster.
    """

    found: tuple[Route, ...]
    at: tuple[tuple[int, ...], ...]
    losses: Mapping[tuple[int, str], int]


def routes(plan: Plan, exports: Sequence[Export], pending: Collection[str], most: int) -> Routes:
    """The routes to the Services, in the order of both. No loss is told where there were more than `most` of them."""
    atlas = _Atlas(plan, frozenset(pending))
    at = tuple(atlas.row(export) for export in exports)
    parts = list(atlas.parts())
    losses = {(number, name): atlas.lost(number, name) for number, name in (parts if len(parts) <= most else ())}
    return Routes(tuple(atlas.found), at, losses)


_CALLERS = 2


@dataclass(frozen=True, slots=True)
class _Atlas:
    """Distinct routes by number, each with calls that take it, of two callers at most: one of them may be lost."""

    plan: Plan
    pending: frozenset[str]
    found: dict[Route, int] = field(default_factory=dict)
    calls: list[dict[str, tuple[ClusterPlan, Export]]] = field(default_factory=list)
    _rows: dict[object, tuple[int, ...]] = field(default_factory=dict)

    def row(self, export: Export) -> tuple[int, ...]:
        """The numbers of the routes to a Service, one a cluster."""
        service = (export.homes, export.clients, export.occupied, export.traits, export.namespace)
        if service not in self._rows:
            self._rows[service] = tuple(self._numbers(export))
        return self._rows[service]

    def _numbers(self, export: Export) -> Iterator[int]:
        """Callers in one position take one route. Each cluster in which the Service runs has a position of its own."""
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
        """The number of a route, which is kept without what only names the call."""
        route = replace(route_to(self.plan, caller, export, self.pending, lost), caller="", host="")
        if route not in self.found:
            self.found[route] = len(self.found)
            self.calls.append({})
        return self.found[route]

    def _note(self, number: int, caller: ClusterPlan, export: Export) -> None:
        if len(self.calls[number]) < _CALLERS:
            self.calls[number].setdefault(caller.name, (caller, export))

    def parts(self) -> Iterator[tuple[int, str]]:
        """Each route with each cluster whose loss may change it."""
        for number, (route, calls) in enumerate(zip(self.found, self.calls, strict=True)):
            names = dict.fromkeys([*(end.cluster for end in route.ends), *route.control_planes])
            yield from ((number, name) for name in names if calls.keys() - {name})

    def lost(self, number: int, name: str) -> int:
        """The number of a route after the loss of a cluster."""
        caller, export = next(call for caller, call in self.calls[number].items() if caller != name)
        return self._kept(caller, export, frozenset([name]))


def _planes(caller: ClusterPlan) -> tuple[str, ...]:
    """The clusters with the control planes of a caller: what `route_to` looks at, too."""
    if not caller.control_planes:
        return (caller.attachment.primary if caller.attachment else caller.name,)
    return tuple(dict.fromkeys(one.attachment.primary if one.attachment else caller.name for one in caller.planes))

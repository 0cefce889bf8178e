"""Services: every cluster means the same by a name (istio#46105, istio.io#11680)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from meshc import codes
from meshc.mesh.exports import described

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.mesh.exports import Export, ExportPort
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source


def entries(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Entries have names of their own, and ports that can stand in one Service."""
    first: dict[str, int] = {}
    for number, entry in enumerate(fleet.mesh.spec.services):
        if entry.name in first:
            also = source.document.place(("spec", "services", first[entry.name], "name"))
            what = f'a second entry is named "{entry.name}"; an entry\'s name is its folder under overlays/_services/'
            yield source.problem(codes.DUPLICATE_ENTRY, ("spec", "services", number, "name"), what, "rename one", also=(also,))
        first.setdefault(entry.name, number)
        seen: dict[object, int] = {}
        for position, port in enumerate(entry.ports):
            path = ("spec", "services", number, "ports", position)
            if port.name is None and len(entry.ports) > 1:
                yield source.problem(codes.BAD_SERVICE, path, f"port {port.port} needs a name, as there are several", "add name:")
            for key in ((port.port, port.protocol), port.name):
                if key is not None and key in seen:
                    what = f"port {port.port} stands twice" if isinstance(key, tuple) else f'two ports are named "{key}"'
                    also = source.document.place(("spec", "services", number, "ports", seen[key]))
                    yield source.problem(codes.BAD_SERVICE, path, what, "keep one", also=(also,))
                seen.setdefault(key, position)


def clashes(exports: Sequence[Export]) -> Iterable[Problem]:
    """Two entries that offer one Service agree on every port: number, name, protocol."""
    first: dict[tuple[str, str], Export] = {}
    for export in exports:
        other = first.setdefault(export.key, export)
        if other is export:
            continue
        host = f"{export.namespace}/{export.name}"
        where = f"{', '.join(export.homes)} and {', '.join(other.homes)}"
        clusters = tuple(dict.fromkeys((*other.homes, *export.homes)))
        if export.headless != other.headless:
            what = f"Service {host} is headless in one of {where}, and has a cluster IP in the other"
            yield codes.PORT_CLASH.at(export.place, what, "make both the same", also=(other.place,), clusters=clusters)
        for what in _differences(other.ports, export.ports):
            hint = "Istio joins endpoints of clusters by port name and takes the rest from the first it sees"
            yield codes.PORT_CLASH.at(
                export.place, f"Service {host} differs between {where}: {what}", hint, also=(other.place,), clusters=clusters
            )


def _differences(one: Iterable[ExportPort], other: Iterable[ExportPort]) -> Iterable[str]:
    left, right = {p.port: p for p in one}, {p.port: p for p in other}
    for number in sorted(left.keys() | right.keys()):
        mine, theirs = left.get(number), right.get(number)
        if mine != theirs:
            yield f"{described(mine) if mine else f'no port {number}'} there, {described(theirs) if theirs else f'no port {number}'} here"

"""Address ranges: pods of one network and services of the mesh don't share addresses (istio#14066, #34627)."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from meshc import codes

if TYPE_CHECKING:
    from meshc.errors import Code, Path, Problem
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source


class _Range(NamedTuple):
    """A range as its first and last address, so that sorting brings overlapping ones together."""

    version: int
    first: int
    last: int
    cluster: str
    kind: str
    text: str
    path: Path


def ranges(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Every range is one, and none overlaps another it shouldn't. A mesh is one network so far."""
    found: list[_Range] = []
    for member in fleet:
        for kind, field, cidrs in (
            ("pod", "podCIDRs", member.cluster.pod_cidrs),
            ("service", "serviceCIDRs", member.cluster.service_cidrs),
        ):
            for number, text in enumerate(cidrs):
                path = member.path(field, number)
                try:
                    network = ipaddress.ip_network(text)
                except ValueError:
                    yield source.problem(codes.BAD_CIDR, path, *_cidr_fault(text), clusters=(member.name,))
                    continue
                first, last = int(network.network_address), int(network.broadcast_address)
                found.append(_Range(network.version, first, last, member.name, kind, text, path))
        if not member.cluster.pod_cidrs and len(fleet.members) > 1:
            what = f"{member.name}: podCIDRs aren't given, so overlaps with other clusters can't be seen"
            yield source.problem(codes.RANGES_UNKNOWN, member.path("name"), what, "add podCIDRs: [...]", clusters=(member.name,))
    for earlier, later in _overlaps(found):
        code = _code(fleet, earlier, later)
        what = f"{later.cluster}'s {later.kind} range {later.text} overlaps {earlier.cluster}'s {earlier.kind} range {earlier.text}"
        clusters = tuple(dict.fromkeys((earlier.cluster, later.cluster)))
        hint = "give each its own range" + ("" if not code.acknowledgeable else f", or acknowledge {code.id} for both")
        also = (source.document.place(earlier.path),)
        yield source.problem(code, later.path, what, hint, also=also, clusters=clusters)


def _cidr_fault(text: str) -> tuple[str, str]:
    shown = json.dumps(text[:60], ensure_ascii=False)
    try:
        mended = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f"{shown} is no CIDR", "write an address and a length, such as 10.10.0.0/16"
    return f"{shown} has bits set beyond its length", f'write "{mended}"'


def _overlaps(found: Iterable[_Range]) -> Iterator[tuple[_Range, _Range]]:
    """Pairs that overlap, each once, the one that stands earlier in mesh.yaml first. Sweeps: n log n where few do."""
    open_ranges: list[_Range] = []
    for one in sorted(found, key=lambda r: (r.version, r.first, r.last)):
        open_ranges = [other for other in open_ranges if other.version == one.version and other.last >= one.first]
        for other in open_ranges:
            yield (other, one) if _position(other) <= _position(one) else (one, other)
        open_ranges.append(one)


def _position(one: _Range) -> tuple[int, str, int]:
    index, number = one.path[2], one.path[-1]
    return (index if isinstance(index, int) else 0, one.kind, number if isinstance(number, int) else 0)


def _code(fleet: Fleet, one: _Range, other: _Range) -> Code:
    """Managed clouds give every cluster the same service range; istiod copes, classic Istio's routes don't."""
    if one.kind == other.kind == "service" and one.cluster != other.cluster:
        return codes.SERVICE_OVERLAP if fleet.classic else codes.SERVICE_OVERLAP_ISTIOD
    return codes.POD_OVERLAP

"""Checks address ranges: no overlap among pods of a network or Services of the mesh (istio#14066, #34627)."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from meshc import codes
from meshc.errors import Rewrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from meshc.errors import Code, Path, Problem
    from meshc.mesh.fleet import Fleet, Member
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
    network: str | None

    @property
    def named(self) -> str:
        return f"{self.kind} range {self.text}"


_Shared = tuple[_Range, ...]
"""Equal ranges of several clusters."""
_NAMED = 3


def ranges(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Every range is valid and overlaps no range of its network. Service ranges are compared across the whole mesh."""
    found: list[_Range] = []
    yield from _read(fleet, source, found)
    yield from _same(fleet, source, found)
    overlaps: dict[tuple[_Shared, Code], list[_Shared]] = {}
    for earlier, later in _overlaps(_shared(found)):
        one, two = earlier[0], later[0]
        if one.network != two.network and {one.kind, two.kind} != {"service"}:
            continue  # pod addresses are only used in their own network
        if (one.first, one.last, one.kind) != (two.first, two.last, two.kind):
            few, many = (earlier, later) if len(earlier) < len(later) else (later, earlier)
            overlaps.setdefault((few, _code(fleet, few, many)), []).append(many)
    for (few, code), others in overlaps.items():
        yield _overlap(source, code, few, sorted(others, key=lambda shared: _position(shared[0])))


def _read(fleet: Fleet, source: Source, found: list[_Range]) -> Iterator[Problem]:
    """Adds the ranges of all clusters to `found`, and yields the problems of single ranges."""
    for member in fleet:
        for kind, field, cidrs in (
            ("pod", "podCIDRs", member.cluster.pod_cidrs),
            ("service", "serviceCIDRs", member.cluster.service_cidrs),
        ):
            for number, text in enumerate(cidrs):
                path = member.path(field, number)
                network = _network(text)
                if network is None:
                    what, hint, better = _cidr_fault(text)
                    fix = Rewrite(text, better) if better else None
                    yield source.problem(codes.BAD_CIDR, path, what, hint, clusters=(member.name,), fix=fix)
                    continue
                first, last = int(network.network_address), int(network.broadcast_address)
                where = fleet.network_of(member)
                if member not in fleet.external:  # no workload of the mesh has an address there
                    found.append(_Range(network.version, first, last, member.name, kind, text, path, where))
        if (
            not member.cluster.pod_cidrs
            and member not in fleet.external
            and any(_beside(fleet, member, other) for other in fleet)
        ):
            what = f"{member.name}: podCIDRs are missing, so meshc can't find overlaps with other clusters"
            name, hint = member.path("name"), "add podCIDRs: [...]"
            yield source.problem(codes.RANGES_UNKNOWN, name, what, hint, clusters=(member.name,))


def _beside(fleet: Fleet, member: Member, other: Member) -> bool:
    """True if the pods of another cluster are in the network of this cluster."""
    elsewhere = other is member or other in fleet.external
    return not elsewhere and fleet.network_of(other) == fleet.network_of(member)


def _same(fleet: Fleet, source: Source, found: Iterable[_Range]) -> Iterator[Problem]:
    """A problem for each cluster that has the same range as clusters before it.

    A new cluster thus adds a problem and leaves the earlier ones unchanged, so that they stay acknowledged.
    """
    alike: dict[object, list[_Range]] = {}
    for one in sorted(found, key=_position):
        where = None if one.kind == "service" else one.network
        alike.setdefault((one.version, one.first, one.last, one.kind, where), []).append(one)
    for ranges_ in alike.values():
        for number, later in enumerate(ranges_[1:], 1):
            before: dict[Code, list[_Range]] = {}
            for earlier in ranges_[:number]:
                before.setdefault(_code(fleet, (earlier,), (later,)), []).append(earlier)
            for code, others in before.items():
                yield _overlap(source, code, (later,), [(one,) for one in others])


def _shared(found: Iterable[_Range]) -> list[_Shared]:
    """Groups equal ranges of a network, as managed clouds often give the same range to all clusters."""
    alike: dict[object, list[_Range]] = {}
    for one in sorted(found, key=_position):
        alike.setdefault((one.version, one.first, one.last, one.kind, one.network), []).append(one)
    return [tuple(same) for same in alike.values()]


def _overlap(source: Source, code: Code, few: _Shared, others: Sequence[_Shared]) -> Problem:
    """One problem for a range, no matter how many ranges it overlaps."""
    every = [one for shared in others for one in shared]
    own = {one.cluster for one in (*few, *others[0])} == {few[0].cluster}
    other = f"its own {others[0][0].named}" if own else _told(others[0])
    more = len(every) - len(others[0])
    what = f"{_told(few)} overlaps {other}{f' and {more} more' if more else ''}"
    clusters = tuple(dict.fromkeys([one.cluster for one in (*every, *few)]))
    who = f"{', '.join(clusters[:-1])} and {clusters[-1]}" if 1 < len(clusters) < 4 else clusters[0]
    who = who if len(clusters) < 4 else f"all {len(clusters)} clusters"
    hint = f"give each its own range, or acknowledge {code.id} for {who}"
    also = tuple(source.document.place(one.path) for one in every[:3])
    return source.problem(code, few[0].path, what, hint, also=also, clusters=clusters)


def _told(shared: _Shared) -> str:
    names = list(dict.fromkeys(one.cluster for one in shared))
    if len(names) == 1:
        return f"{names[0]}'s {shared[0].named}"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"the {shared[0].named} of {', '.join(names[:_NAMED])}{more}"


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Parses a range; None for text that Kubernetes refuses, such as a netmask."""
    try:
        network = ipaddress.ip_network(text) if re.fullmatch(r"[0-9a-fA-F.:]+/\d+", text) else None
    except ValueError:
        return None
    return None if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_WRAPPED) else network


_WRAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def _cidr_fault(text: str) -> tuple[str, str, str]:
    """What is wrong with a range, what to do, and the corrected range, empty if that isn't certain."""
    shown = json.dumps(text[:60], ensure_ascii=False)
    if "%" in text:
        return (
            f"{shown} has a zone, which is only valid on one machine",
            "remove the % and everything after it",
            "",
        )
    try:
        mended = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f"{shown} isn't a CIDR", "write an address and a prefix length, such as 10.10.0.0/16", ""
    if isinstance(mended, ipaddress.IPv6Network) and mended.subnet_of(_WRAPPED):
        plain = f"{mended.network_address.ipv4_mapped}/{max(0, mended.prefixlen - 96)}"
        return f"{shown} is IPv4 wrapped in IPv6", f'write "{plain}"', plain
    if "/" not in text:
        return f"{shown} has no prefix length", "write an address and a prefix length, such as 10.10.0.0/16", ""
    fault = (
        "has a netmask instead of a prefix length"
        if "." in text.partition("/")[2]
        else "has bits set after its prefix length"
    )
    return f"{shown} {fault}", f'write "{mended}"', str(mended)


def _overlaps(found: Iterable[_Shared]) -> Iterator[tuple[_Shared, _Shared]]:
    """Each overlapping pair once, the earlier range of mesh.yaml first. A sweep: O(n log n) if few ranges overlap."""
    open_ranges: list[_Shared] = []
    for shared in sorted(found, key=lambda same: (same[0].version, same[0].first, same[0].last)):
        one = shared[0]
        open_ranges = [other for other in open_ranges if other[0].version == one.version and other[0].last >= one.first]
        for other in open_ranges:
            yield (other, shared) if _position(other[0]) <= _position(one) else (shared, other)
        open_ranges.append(shared)


def _position(one: _Range) -> tuple[int, str, int]:
    index, number = one.path[2], one.path[-1]
    return (index if isinstance(index, int) else 0, one.kind, number if isinstance(number, int) else 0)


def _code(fleet: Fleet, some: _Shared, others: _Shared) -> Code:
    """The code of an overlap. Clouds often give clusters equal Service ranges; only classic Istio fails then."""
    apart = not {one.cluster for one in some} & {one.cluster for one in others}
    if some[0].kind == others[0].kind == "service" and apart:
        return codes.SERVICE_OVERLAP_ISTIOD if fleet.generation.allows_equal_service_ranges else codes.SERVICE_OVERLAP
    return codes.POD_OVERLAP

"""Address ranges: pods of a network and services of the mesh share no address (istio#14066, #34627)."""

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


def ranges(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Every range is one, and none overlaps another of its network. Services' are compared through the whole mesh."""
    found: list[_Range] = []
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
                if member not in fleet.external:  # nothing of the mesh runs in its ranges
                    found.append(_Range(network.version, first, last, member.name, kind, text, path, where))
        if (
            not member.cluster.pod_cidrs
            and member not in fleet.external
            and any(_beside(fleet, member, other) for other in fleet)
        ):
            what = f"{member.name}: podCIDRs aren't given, so overlaps with other clusters can't be seen"
            yield source.problem(
                codes.RANGES_UNKNOWN,
                member.path("name"),
                what,
                "add podCIDRs: [...]",
                clusters=(member.name,),
            )
    overlaps: dict[tuple[_Range, Code], list[_Range]] = {}
    for earlier, later in _overlaps(found):
        if earlier.network != later.network and {earlier.kind, later.kind} != {"service"}:
            continue  # a pod's address means something in its own network only
        overlaps.setdefault((later, _code(fleet, earlier, later)), []).append(earlier)
    for (later, code), others in overlaps.items():
        yield _overlap(source, code, later, sorted(others, key=_position))


def _beside(fleet: Fleet, member: Member, other: Member) -> bool:
    """Whether pods of another cluster are in the network of this one's."""
    elsewhere = other is member or other in fleet.external
    return not elsewhere and fleet.network_of(other) == fleet.network_of(member)


def _overlap(source: Source, code: Code, later: _Range, others: Sequence[_Range]) -> Problem:
    """One problem a range, however many it overlaps: managed clouds give all clusters the same."""
    other = others[0]
    owner = f"{other.cluster}'s" if other.cluster != later.cluster else "its own"
    what = f"{later.cluster}'s {later.kind} range {later.text} overlaps {owner} {other.kind} range {other.text}"
    what += f" and {len(others) - 1} more" if len(others) > 1 else ""
    clusters = tuple(dict.fromkeys([one.cluster for one in (*others, later)]))
    who = f"{', '.join(clusters[:-1])} and {clusters[-1]}" if 1 < len(clusters) < 4 else clusters[0]
    who = who if len(clusters) < 4 else f"all {len(clusters)} clusters"
    hint = f"give each its own range, or acknowledge {code.id} for {who}"
    also = tuple(source.document.place(one.path) for one in others[:3])
    return source.problem(code, later.path, what, hint, also=also, clusters=clusters)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The range that a text is; None for what Kubernetes doesn't take, such as a netmask."""
    try:
        network = ipaddress.ip_network(text) if re.fullmatch(r"[0-9a-fA-F.:]+/\d+", text) else None
    except ValueError:
        return None
    return None if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_WRAPPED) else network


_WRAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def _cidr_fault(text: str) -> tuple[str, str, str]:
    """What is wrong with a range, what to do, and the range that is meant where that is certain."""
    shown = json.dumps(text[:60], ensure_ascii=False)
    if "%" in text:
        return (
            f"{shown} has a zone, which means something on one machine only",
            "leave out the % and what follows it",
            "",
        )
    try:
        mended = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f"{shown} is no CIDR", "write an address and a length, such as 10.10.0.0/16", ""
    if isinstance(mended, ipaddress.IPv6Network) and mended.subnet_of(_WRAPPED):
        plain = f"{mended.network_address.ipv4_mapped}/{max(0, mended.prefixlen - 96)}"
        return f"{shown} is IPv4 wrapped in IPv6", f'write "{plain}"', plain
    if "/" not in text:
        return f"{shown} has no length", "write an address and a length, such as 10.10.0.0/16", ""
    fault = "has a netmask in place of a length" if "." in text.partition("/")[2] else "has bits set beyond its length"
    return f"{shown} {fault}", f'write "{mended}"', str(mended)


def _overlaps(found: Iterable[_Range]) -> Iterator[tuple[_Range, _Range]]:
    """Pairs that overlap, each once, the earlier in mesh.yaml first. Sweeps: n log n where few do."""
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
    """Managed clouds give clusters the same service range; istiod copes, classic Istio's routes don't."""
    if one.kind == other.kind == "service" and one.cluster != other.cluster:
        return codes.SERVICE_OVERLAP if fleet.classic else codes.SERVICE_OVERLAP_ISTIOD
    return codes.POD_OVERLAP

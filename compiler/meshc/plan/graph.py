"""Draws a plan as a Mermaid flowchart: clusters in their networks, control planes, and who exports what to whom."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan

_EACH = 12
"""Clusters that are all drawn; in a larger mesh those in one position share a node."""

_NODES, _ARROWS, _PEERS, _NAMES = 40, 120, 45, 3
"""What people can still look at. Mermaid itself refuses more than 500 arrows, or 50,000 characters."""


@dataclass(frozen=True, slots=True)
class _Node:
    """Clusters that hold one position, or the many that found no place of their own."""

    id: str
    clusters: Sequence[ClusterPlan]
    rest: bool = False

    @property
    def label(self) -> str:
        first = self.clusters[0]
        if self.rest:
            return _escaped(f"and {len(self.clusters)} more clusters")
        name = _listed([cluster.name for cluster in self.clusters], "clusters")
        return f"{_escaped(name)}<br/>{_escaped(f'{first.role}, Istio {first.istio}')}"

    def __str__(self) -> str:
        shape = '["{}"]' if self.clusters[0].role == "remote" or self.rest else '[["{}"]]'
        return self.id + shape.format(self.label)


def mermaid(plan: Plan, names: Collection[str] | None = None) -> str:
    """The text of the flowchart. However large the mesh, it stays within what Mermaid draws and people read.

    With `names`, of these clusters and of those that they deal with.
    """
    return "".join(f"{line}\n" for line in _lines(plan if names is None else _around(plan, names)))


def _around(plan: Plan, names: Collection[str]) -> Plan:
    """The clusters by name, their control planes, and the clusters that export to them or import from them."""
    near = set(names)
    for pair in _exports(plan):
        near |= {*pair} if {*pair} & {*names} else set()
    for cluster in plan.clusters:
        if cluster.name in names:
            near |= {cluster.attachment.primary} if cluster.attachment else set()
            near |= {cluster.config_cluster} if cluster.config_cluster else set()
    clusters = tuple(cluster for cluster in plan.clusters if cluster.name in near)
    return replace(plan, clusters=clusters)


def _lines(plan: Plan) -> Iterator[str]:
    exports = _exports(plan)
    nodes = _nodes(plan, exports)
    yield "flowchart LR"
    networks = dict.fromkeys(node.clusters[0].network for node in nodes if not node.rest)
    for number, network in enumerate(networks):
        indent = "  "
        if network is not None:
            yield f'  subgraph n{number}["{_escaped(_network(plan, network))}"]'
            indent = "    "
        for node in nodes:
            if node.clusters[0].network == network and not node.rest:
                yield f"{indent}{node}"
        if network is not None:
            yield "  end"
    yield from (f"  {node}" for node in nodes if node.rest)
    yield from (f"  {line}" for line in _arrows(nodes, exports))


def _network(plan: Plan, name: str) -> str:
    hosts = next((one.hosts for one in plan.networks if one.name == name), ())
    several = f" and {len(hosts) - 1} more" if hosts[1:] else ""
    return f"network {name}" + (f", gateway {hosts[0].rpartition(':')[0]}{several}" if hosts else "")


def _arrows(nodes: Sequence[_Node], exports: dict[tuple[str, str], list[str]]) -> Iterator[str]:
    at = {cluster.name: number for number, node in enumerate(nodes) for cluster in node.clusters}
    attached = [
        (cluster.name, cluster.attachment.primary)
        for node in nodes
        for cluster in node.clusters
        if cluster.attachment and cluster.attachment.primary in at
    ]
    for remote, primary in dict.fromkeys((at[remote], at[primary]) for remote, primary in attached):
        yield f'c{remote} -.->|"control plane"| c{primary}'
    for cluster in (cluster for node in nodes for cluster in node.clusters):
        if cluster.is_external and cluster.config_cluster in at:
            yield f'c{at[cluster.name]} -.->|"configuration"| c{at[cluster.config_cluster]}'
    primaries = dict.fromkeys(at[cluster.name] for n in nodes for cluster in n.clusters if cluster.role == "primary")
    peers = list(combinations(primaries, 2))
    yield from (f'c{one} <-.->|"watch each other"| c{other}' for one, other in peers[:_PEERS])
    if len(peers) > _PEERS:
        yield f'peers["{_escaped(f"and {len(peers) - _PEERS} more pairs of primaries")}"]'
    services: dict[tuple[int, int], dict[str, None]] = {}
    for (home, client), names in exports.items():
        services.setdefault((at[home], at[client]), {}).update(dict.fromkeys(names))
    for (source, target), held in sorted(services.items(), key=lambda item: item[0])[:_ARROWS]:
        yield f'c{source} -->|"{_escaped(_listed(list(held), "services"))}"| c{target}'
    if len(services) > _ARROWS:
        yield f'more["{_escaped(f"and {len(services) - _ARROWS} more arrows of services")}"]'


def _exports(plan: Plan) -> dict[tuple[str, str], list[str]]:
    """The Services that a cluster offers another one, by name of both."""
    found: dict[tuple[str, str], list[str]] = {}
    there = {cluster.name for cluster in plan.clusters}
    shared = {base.name: base.copies for base in plan.bases}
    for cluster in plan.clusters:
        for copy in [*(copy for name in cluster.bases for copy in shared[name]), *cluster.copies]:
            for home in (name for name in copy.homes if name in there):
                found.setdefault((home, cluster.name), []).append(copy.name)
    return found


def _nodes(plan: Plan, exports: dict[tuple[str, str], list[str]]) -> list[_Node]:
    groups = [[cluster] for cluster in plan.clusters]
    if len(groups) > _EACH:
        groups = _alike(plan.clusters, exports)
    if len(groups) > _NODES:  # primaries have a place, then whoever stands for most
        order = sorted(range(len(groups)), key=lambda n: (groups[n][0].role == "remote", -len(groups[n]), n))
        kept = sorted(order[: _NODES - 1])
        rest = [cluster for n in sorted(order[_NODES - 1 :]) for cluster in groups[n]]
        groups = [groups[n] for n in kept]
        return [*_numbered(groups), _Node(f"c{len(groups)}", rest, rest=True)]
    return list(_numbered(groups))


def _numbered(groups: Iterable[Sequence[ClusterPlan]]) -> Iterator[_Node]:
    return (_Node(f"c{number}", clusters) for number, clusters in enumerate(groups))


def _alike(clusters: Sequence[ClusterPlan], exports: dict[tuple[str, str], list[str]]) -> list[list[ClusterPlan]]:
    """Clusters of one role, network, version and primary, that get the same Services and offer the same."""
    offered: dict[str, set[str]] = {}
    received: dict[str, list[tuple[str, str]]] = {}
    for (home, client), names in exports.items():
        offered.setdefault(home, set()).update(names)
        received.setdefault(client, []).extend((home, name) for name in names)
    groups: dict[object, list[ClusterPlan]] = {}
    for cluster in clusters:
        primary = cluster.attachment.primary if cluster.attachment else cluster.name
        services = (frozenset(offered.get(cluster.name, ())), frozenset(received.get(cluster.name, ())))
        key = (cluster.role, cluster.holds_config, cluster.network, cluster.istio, primary, services)
        groups.setdefault(key, []).append(cluster)
    return list(groups.values())


def _listed(names: Sequence[str], noun: str) -> str:
    """`a, b`, or `a, b, c and 4 more clusters`."""
    if len(names) <= _NAMES + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMES])} and {len(names) - _NAMES} more {noun}"


_ODD = re.compile(r"[^A-Za-z0-9 .,/-]")


def _escaped(text: str) -> str:
    """Text of a label, in which no character means anything to Mermaid, to Markdown or to HTML."""
    return _ODD.sub(lambda found: f"#{ord(found[0])};", text)

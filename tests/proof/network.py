"""Hosts as network namespaces: a cluster's node and its pods, joined by veth pairs. The harness itself is the router.

A node has its public addresses on loopback, and one line to the router. Nodes of one network have a line to each
other, over which pods reach pods by their own addresses; nodes of different networks have none.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

from proof.running import run

_names = itertools.count(1)
_lines = itertools.count(1)
_GATE = "169.254.1.1"  # what each pod sees at the other end of its line


@dataclass
class Node:
    """A cluster's only node."""

    name: str
    address: str
    pods: str
    uplink: str
    gate: str
    addresses: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._free = IPv4Network(self.pods).hosts()
        next(self._free)

    def pod(self) -> Pod:
        """A namespace for one more pod, with the next address of the range."""
        address, name, line = str(next(self._free)), f"{self.name}.{next(_names)}", f"p{next(_names)}"
        run("ip", "netns", "add", name)
        run("ip", "-n", self.name, "link", "add", line, "type", "veth", "peer", "name", "eth0", "netns", name)
        _batch(
            self.name,
            f"addr add {_GATE}/32 dev {line}",
            f"link set {line} up",
            f"route add {address}/32 dev {line} src {self.address}",
        )
        _batch(
            name,
            "link set lo up",
            "link set eth0 up",
            f"addr add {address}/32 dev eth0",
            f"route add {_GATE} dev eth0",
            f"route add default via {_GATE} dev eth0",
        )
        return Pod(name, address)

    def add(self, address: str) -> None:
        """One more public address, such as that of a load balancer."""
        if address not in self.addresses:
            self.addresses.add(address)
            _batch(self.name, f"addr replace {address}/32 dev lo")
            run("ip", "route", "replace", f"{address}/32", "via", self.gate)

    def drop(self, address: str) -> None:
        """Nobody answers at that address any more."""
        self.addresses.discard(address)
        _batch(self.name, f"addr del {address}/32 dev lo")
        run("ip", "route", "del", f"{address}/32")

    def cut_all(self) -> None:
        """Takes every line down, for good."""
        for line in json.loads(run("ip", "-n", self.name, "-j", "link", "show", "type", "veth")):
            _batch(self.name, f"link set {line['ifname']} down")

    def cut(self, *, down: bool) -> None:
        """Takes the line to the router down, or up again."""
        _batch(self.name, f"link set {self.uplink} {'down' if down else 'up'}")
        if not down:
            _batch(self.name, f"route replace default via {_other_end(self.gate)} dev {self.uplink}")
            for address in sorted(self.addresses):
                run("ip", "route", "replace", f"{address}/32", "via", self.gate)


@dataclass(frozen=True)
class Pod:
    """A pod's namespace."""

    name: str
    address: str

    def remove(self) -> None:
        run("ip", "netns", "delete", self.name)


def prepare() -> None:
    """The router forwards. Whoever calls this is in a namespace of its own already."""
    run("ip", "link", "set", "lo", "up")
    _forward("")


def clear() -> None:
    """Removes every namespace, and with it the lines that lead there. Nobody else sees the folder."""
    for path in Path("/run/netns").iterdir():
        run("ip", "netns", "delete", path.name)


def make_node(name: str, address: str, pods: str) -> Node:
    """A node with its line to the router."""
    number = next(_lines)
    here, there = f"100.64.{number}.1", f"100.64.{number}.2"
    run("ip", "netns", "add", name)
    run("ip", "link", "add", f"n{number}", "type", "veth", "peer", "name", "up0", "netns", name)
    _batch("", f"addr add {here}/30 dev n{number}", f"link set n{number} up")
    _batch(
        name,
        "link set lo up",
        f"addr add {there}/30 dev up0",
        "link set up0 up",
        f"route add default via {here} dev up0 src {there}",
    )
    _forward(name)
    node = Node(name, address, pods, "up0", there)
    node.add(address)
    return node


def join(nodes: Iterable[Node]) -> None:
    """A flat network: a line between each two nodes, over which their pods reach each other."""
    for one, other in itertools.combinations(nodes, 2):
        number = next(_lines)
        ends = ((one, f"100.65.{number}.1", other), (other, f"100.65.{number}.2", one))
        line = f"f{number}"
        run("ip", "-n", one.name, "link", "add", line, "type", "veth", "peer", "name", line, "netns", other.name)
        for node, end, _ in ends:
            _batch(node.name, f"addr add {end}/30 dev {line}", f"link set {line} up")
        for node, end, far in ends:
            _batch(node.name, f"route add {far.pods} via {_other_end(end)} dev {line}")


def _other_end(address: str) -> str:
    head, _, last = address.rpartition(".")
    return f"{head}.{3 - int(last)}"


def _forward(name: str) -> None:
    setting = Path("/proc/sys/net/ipv4/ip_forward")
    if name:
        run("sh", "-c", f"echo 1 > {setting}", namespace=name)
    else:
        setting.write_text("1")


def _batch(name: str, *lines: str) -> None:
    run("ip", *(["-n", name] if name else []), "-batch", "-", stdin="\n".join(lines))

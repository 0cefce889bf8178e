"""Parses DER into a tree that a test can damage: each node has a tag, and either bytes or child nodes."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from random import Random

_WRAPPERS = (0x04, 0x03)


@dataclass
class Node:
    """One value. `parts` are the values inside it; `prefix` are the bytes before them, as in a BIT STRING."""

    tag: int
    content: bytes = b""
    parts: list[Node] | None = None
    prefix: bytes = b""
    long: bool = False
    """True if the length is encoded with one byte more than necessary."""

    def encoded(self) -> bytes:
        content = (
            self.prefix + b"".join(part.encoded() for part in self.parts) if self.parts is not None else self.content
        )
        size = len(content)
        octets = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
        if size < 0x80 and not self.long:
            return bytes([self.tag, size]) + content
        octets = b"\0" + octets if self.long and size >= 0x80 else octets
        return bytes([self.tag, 0x80 | len(octets)]) + octets + content

    def all(self) -> list[Node]:
        return [self, *(node for part in self.parts or () for node in part.all())]


def read_tree(data: bytes, depth: int = 0) -> list[Node] | None:
    """The values in the bytes; None if the bytes aren't DER."""
    found, at = list[Node](), 0
    while at < len(data):
        if at + 2 > len(data) or data[at] & 0x1F == 0x1F or depth > 12:
            return None
        tag, size, begin = data[at], data[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            size, begin = int.from_bytes(data[begin : begin + count], "big"), begin + count
        content, at = data[begin : begin + size], begin + size
        if at > len(data):
            return None
        found.append(_node(tag, content, depth))
    return found


def _node(tag: int, content: bytes, depth: int) -> Node:
    prefix = content[:1] if tag == 0x03 else b""
    inside = read_tree(content[len(prefix) :], depth + 1) if tag & 0x20 or tag in _WRAPPERS else None
    plausible = inside and (tag & 0x20 or (len(inside) == 1 and inside[0].tag in (0x30, 0x03, 0x04, 0x02)))
    return Node(tag, content, inside, prefix) if plausible else Node(tag, content)


_TEXTS = [
    b"",
    b"a",
    b"cluster.local",
    b".svc",
    b"a..b",
    b"a.",
    b"10.0.0.1",
    b"x@y.z",
    b"\xc3\xa9",
    b"\xff",
    b"a b",
    b"*.a",
]
_TEXTS += [b"spiffe://cluster.local/a", b"http://[::1]/", b"//a", b"urn:x", b"http://a%zz", b"http://a:b/", b"a_b&*@"]
_NUMBERS = [b"", b"\0", b"\1", b"\xff", b"\0\1", b"\x80", b"\0\x80", b"\x7f" + b"\xff" * 7, b"\0" + b"\xff" * 8]
_OIDS = [
    b"\x55\x1d\x20\x00",
    b"\x55\x1d\x0f",
    b"\x2a",
    b"\x80\x01",
    b"\x2a\x80\x01",
    b"\x2a\x8f\xff\xff\xff\x7f",
    b"\x88\x80\x80\x80\x00",
]
_OIDS += [bytes.fromhex("551d1e"), bytes.fromhex("551d13"), bytes.fromhex("2b06010505070301"), b""]
_TIMES = [
    b"260101000000Z",
    b"2601010000Z",
    b"260101000000+0100",
    b"20260101000000Z",
    b"20260101000000.5Z",
    b"261301000000Z",
]
_OCTETS = [
    b"",
    b"\0",
    b"\7\6",
    b"\0\0",
    b"\1\1",
    b"\x0a\0\0\0\xff\0\0\0",
    b"\x0a\0\0\1\xff\0\xff\0",
    bytes(10) + b"\xff" * 22,
]
_OCTETS += [bytes(10) + b"\xff\xff\1\2\3\4", bytes(16), b"\1\2\3\4"]
_TAGS = [0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1A, 0x1C, 0x1E, 0x30, 0x31]
_TAGS += [0x80, 0x81, 0x82, 0x86, 0x87, 0x88, 0xA0, 0xA1, 0xA3, 0xA4, 0xA6, 0x01]


def damage(tree: Node, chance: Random) -> None:
    """Adds one fault of encoding somewhere in the tree."""
    nodes = tree.all()
    node = chance.choice(nodes)
    parts = chance.choice([one.parts for one in nodes if one.parts])
    at = chance.randrange(len(parts))
    match chance.randrange(12):
        case 0:
            parts.pop(at)
        case 1:
            parts.insert(at, copy.deepcopy(chance.choice(parts)))
        case 2:
            chance.shuffle(parts)
        case 3:
            parts.insert(at, Node(chance.choice(_TAGS), chance.choice(_OCTETS)))
        case 4:
            parts.append(copy.deepcopy(node))
        case 5:
            node.tag = chance.choice(_TAGS)
        case 6:
            node.long = True
        case _:
            _rewrite(chance.choice([one for one in nodes if one.parts is None] or nodes), chance)


def _rewrite(leaf: Node, chance: Random) -> None:
    """Changes the content, in most cases to content that is valid for the type."""
    pools = {0x02: _NUMBERS, 0x06: _OIDS, 0x17: _TIMES, 0x18: _TIMES, 0x01: _OCTETS, 0x03: _OCTETS, 0x87: _OCTETS}
    pool = pools.get(leaf.tag, _TEXTS)
    match chance.randrange(4):
        case 0 if leaf.content:
            at = chance.randrange(len(leaf.content))
            changed = leaf.content[at] ^ 1 << chance.randrange(8)
            leaf.content = leaf.content[:at] + bytes([changed]) + leaf.content[at + 1 :]
        case 1:
            leaf.content += chance.choice([b"\0", b"a", b"\xff", b"."])
        case _:
            leaf.content = chance.choice(pool)
    leaf.parts = None

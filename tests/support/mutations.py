"""Makes one random change to a file: to its bytes, to its values, or to the file itself."""

from __future__ import annotations

import base64
import gzip
import os
import random
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import yaml

from support.nasty import BOMB, KEYS, ODD_KEYS, RARE, VALUES

Mutate = Callable[[bytes, random.Random], bytes]
VALUES_OF_ANY = (*VALUES.values(), *RARE)
TOKENS = (
    *(
        b"\0",
        b"\xff",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\t",
        b"\r",
        b"\n---\n",
        b"\n...\n",
        b": ",
    ),
    *(
        b"- ",
        b"{",
        b"[",
        b"'",
        b'"',
        b"&a ",
        b"*a",
        b"<<: ",
        b"!!",
        b"#",
        b"%YAML 9.9\n",
        b"|\n",
        b"? ",
        b"\xe2\x80\xa8",
    ),
    *(
        b"9" * 400,
        b"{{ .x }}",
        b"<<<<<<< HEAD\n",
        b"\x1b[2J",
        b"-----END CERTIFICATE-----\n",
        b"[" * 2000,
        b"a" * 70_000,
    ),
)


def of_bytes(data: bytes, chance: random.Random) -> bytes:
    """The data with a few bytes changed, removed, doubled or moved."""
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        at, other = (chance.randrange(len(data) + 1) for _ in range(2))
        length = chance.choice((1, 1, 4, 40, 400))
        way = chance.randrange(8)
        if way == 0:
            data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
        elif way == 1:
            data = data[:at] + data[at + length :]
        elif way == 2:
            data = data[:at] + data[other : other + length] + data[at:]
        elif way == 3:
            data = data[:at]
        elif way == 4:
            data = data[:at] + bytes([(data[at] if at < len(data) else 0) ^ 1 << chance.randrange(8)]) + data[at + 1 :]
        elif way == 5:
            data = re.sub(rb"\d+", lambda found: found[0] * chance.choice((0, 1, 1, 1, 9)), data[: 1 << 16], count=9)
        else:
            data = data[:at] + chance.choice(TOKENS) + data[at:]
    return data


def of_form(data: bytes, chance: random.Random) -> bytes:
    """The same written as editors, tools and merges leave it: marks, line ends, keys twice, lists under other keys."""
    lines = data.split(b"\n")
    number = chance.randrange(len(lines))
    line, keys = lines[number], re.findall(rb"(?m)^ *([a-zA-Z]+):", data) or [b"spec"]
    way = chance.randrange(9)
    if way == 0:
        return chance.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\xef\xbb\xbf\xef\xbb\xbf")) + data
    if way == 1:
        return data.replace(b"\n", chance.choice((b"\r\n", b"\r", b"\xc2\x85", b"\xe2\x80\xa8")))
    if way == 2:
        lines[number] = line.replace(b"  ", b"\t", 1)
    elif way == 3:
        lines.insert(number, line)
    elif way == 4:
        lines[number : number + 1] = [b"<<<<<<< HEAD", line, b"=======", line, b">>>>>>> other"]
    elif way == 5:
        one, other = chance.choice(keys), chance.choice(keys)
        return data.replace(one + b":", b"\0:").replace(other + b":", one + b":").replace(b"\0:", other + b":")
    elif way == 6:
        lines[number] = line.replace(b": ", b": &a ", 1)
        lines.append(b"again: *a")
    elif way == 7:
        lines[number] = line.partition(b":")[0] + b": " + chance.choice((b"a" * 100_000, b"9" * 5000, b"[" * 2000))
    else:
        return chance.choice((data + b"---\n" + data, b"---\n---\n" + data, b"%YAML 1.1\n---\n" + data, data[:-1]))
    return b"\n".join(lines)


def of_yaml(data: bytes, chance: random.Random) -> bytes:
    """The YAML with one value or key replaced, removed, doubled, wrapped, or with the text of another. The rest is
    unchanged."""
    try:
        text = data.decode()
        nodes = [node for root in yaml.compose_all(text, Loader=yaml.CSafeLoader) for node in _nodes(root)]
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return of_bytes(data, chance)
    if not nodes or not chance.randrange(40):
        return chance.choice(
            (b"", b"\n", BOMB.encode(), b"---\n" * 999, b"[" * 90_000, data + b"---\n" + data, b"null\n")
        )
    for _ in range(chance.choice((1, 1, 1, 2))):
        node, is_key = chance.choice(nodes)
        start, end = node.start_mark.index, node.end_mark.index
        old = text[start:end]
        way = chance.randrange(10)
        if is_key:
            new = chance.choice((*KEYS.values(), *ODD_KEYS.values()))(old) if way < 6 and len(old) > 2 else f"? {old} #"
        elif way < 6:
            new = chance.choice(VALUES_OF_ANY)
        elif way == 6:
            other, _ = chance.choice(nodes)
            new = text[other.start_mark.index : other.end_mark.index]
        elif way == 7:
            new = f"[{old.strip()}]"
        elif way == 8:
            new = f"&x {old}"
        else:
            new = ""
        text = text[:start] + new + (" " * 0 if old[-1:] != "\n" else "\n") + text[end:]
        if not is_key or way > 6:
            break  # the positions found before have changed
        nodes = [(one, key) for one, key in nodes if one.end_mark.index <= start] or nodes[:1]
    return text.encode(errors="surrogatepass")


def _nodes(node: yaml.Node, is_key: bool = False) -> Iterator[tuple[yaml.Node, bool]]:
    yield node, is_key
    for inner in node.value if isinstance(node, yaml.CollectionNode) else ():
        if isinstance(inner, tuple):
            yield from _nodes(inner[0], True)
            yield from _nodes(inner[1])
        else:
            yield from _nodes(inner)


_PEM = re.compile(rb"-----BEGIN ([A-Z ]+)-----\n(.*?)-----END \1-----\n", re.DOTALL)
_DATES = (b"000101000000Z", b"991231235959Z", b"00000000000000Z", b"99991231235959Z", b"20261301000000Z", b"x", b"")
_NUMBERS = (b"", b"\x00", b"\xff", b"\x80" + bytes(19), b"\x7f" + b"\xff" * 40, b"\xff" * 4000)
_TEXTS = (b"\xd7\x90", b"xn--a", b"\xff\xfe", b"a\nb", b"\0", b"a" * 70_000, b"*.", b"spiffe://a/ns/b/sa/c", b"")


def of_pem(data: bytes, chance: random.Random) -> bytes:
    """The PEM with a changed part of its DER, or with a block moved, doubled or damaged."""
    blocks = list(_PEM.finditer(data))
    if not blocks or not chance.randrange(4):
        return of_bytes(data, chance)
    block = chance.choice(blocks)
    way = chance.randrange(12)
    if way == 0:
        return data + block[0] * chance.choice((1, 2000))
    if way == 1:
        return data[: block.start()] + data[block.end() :]
    der = base64.b64decode(block[2])
    changed = base64.encodebytes(_of_der(der, chance))
    label = block[1] if way > 2 else chance.choice((b"PRIVATE KEY", b"EC PRIVATE KEY", b"PUBLIC KEY", b"X"))
    new = b"-----BEGIN %b-----\n%b-----END %b-----\n" % (label, changed, label)
    return data[: block.start()] + new + data[block.end() :]


def _of_der(der: bytes, chance: random.Random) -> bytes:
    """The DER with one element of other content or type, removed or doubled. All outer lengths are corrected."""
    places = [place for place, *_ in _elements(der)]
    return _changed(der, chance.choice(places), chance) if places else of_bytes(der, chance)


def _elements(der: bytes, above: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], int, bytes]]:
    for number, (tag, content) in enumerate(_split(der)):
        yield (*above, number), tag, content
        if tag & 0x20 and len(above) < 12:
            yield from _elements(content, (*above, number))


def _split(der: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    with suppress(IndexError):
        while at < len(der):
            tag, length = der[at], der[at + 1]
            at += 2
            if length & 0x80:
                size = length & 0x7F
                length, at = int.from_bytes(der[at : at + size]), at + size
            found.append((tag, der[at : at + length]))
            at += length
    return found


def _join(parts: list[tuple[int, bytes]]) -> bytes:
    return b"".join(bytes([tag]) + _length(len(content)) + content for tag, content in parts)


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    raw = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([0x80 | len(raw)]) + raw


def _changed(der: bytes, place: tuple[int, ...], chance: random.Random) -> bytes:
    parts = _split(der)
    tag, content = parts[place[0]]
    if place[1:]:
        parts[place[0]] = tag, _changed(content, place[1:], chance)
        return _join(parts)
    way = chance.randrange(8)
    if way == 0:
        del parts[place[0]]
    elif way == 1:
        parts *= chance.choice((2, 2, 500))
    elif way == 2:
        parts[place[0]] = chance.randrange(256), content
    elif way == 3:
        parts[place[0]] = tag, of_bytes(content, chance)
    else:
        given = _DATES if tag in (0x17, 0x18) else _NUMBERS if tag in (0x02, 0x03) else (*_TEXTS, *_NUMBERS)
        parts[place[0]] = chance.choice((tag, tag, 0x18)) if tag == 0x17 else tag, chance.choice(given)
    return _join(parts)


def of_tgz(data: bytes, chance: random.Random) -> bytes:
    """The archive with damaged gzip or tar: other bytes, a wrong number in a header with a correct checksum, or changed
    members."""
    if not chance.randrange(3):
        return of_bytes(data, chance)
    inner = bytearray(gzip.decompress(data))
    at = chance.randrange(len(inner) // 512) * 512
    way = chance.randrange(5)
    if way == 0:
        inner = bytearray(of_bytes(bytes(inner), chance))
    elif way == 1:
        inner[at:at] = inner[: chance.choice((512, 1024, 5120))] * chance.choice((1, 1, 300))
    elif way == 2:
        inner[at : at + 512] = b""
    else:
        at = next((one for one in range(at, -1, -512) if inner[one + 257 : one + 262] == b"ustar"), 0)
        fields = ((0, 100), (124, 12), (156, 1), (157, 100), (345, 155), (257, 8), (329, 8))
        start, size = chance.choice(fields)
        new = chance.choice(
            (b"\xff" * size, b"\x80" + bytes(size - 1), b"7" * size, bytes(size), b"../../x", b"x", b"L", b"S")
        )
        inner[at + start : at + start + size] = new[:size].ljust(size, b"\0")
        inner[at + 148 : at + 156] = b" " * 8
        inner[at + 148 : at + 156] = f"{sum(inner[at : at + 512]):06o}\0 ".encode()
    return gzip.compress(bytes(inner), 1)


def instead(path: Path, chance: random.Random) -> str:
    """Replaces a file by something else, and returns a word for it."""
    path.unlink()
    way = chance.choice(
        ("nothing", "folder", "pipe", "loop", "link", "device", "socket", "empty", "large", "names", "zeros")
    )
    if way == "folder":
        path.mkdir()
        (path / "inner.yaml").write_text("a: b\n")
    elif way == "pipe":
        os.mkfifo(path)
    elif way == "loop":
        path.symlink_to(path.name)
    elif way == "link":
        path.symlink_to("/etc/passwd")
    elif way == "device":
        path.symlink_to("/dev/zero")
    elif way == "socket":
        with suppress(OSError), socket.socket(socket.AF_UNIX) as made:  # a socket's path must be short
            made.bind(str(path))
    elif way == "empty":
        path.write_bytes(b"")
    elif way == "large":
        path.write_bytes(b"a: [\n" + b"- a\n" * (5 << 20))
    elif way == "zeros":
        with path.open("wb") as file:
            file.truncate(1 << 34)  # a sparse file
    elif way == "names":
        path.mkdir()
        for name in ("a\nb.yaml", "\udcff.yaml", "a\\b.yaml", "x" * 250 + ".yaml"):
            (path / name).write_bytes(b"a: b\n")
    return way

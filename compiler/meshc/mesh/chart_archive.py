"""Unpacks the .tgz of a chart in memory, and checks limits before it builds anything.

`tarfile.open` isn't used: it reads extended headers of any size into memory, and follows chains of them by recursion.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from meshc.tree import FileTree

_LARGEST = 16 << 20
"""The maximum unpacked bytes of an archive, including headers and inner archives."""
_MOST = 10_000
"""The maximum number of files, including those of inner archives."""
_STREAMS = 100
"""The maximum number of gzip streams in a row."""
_DEEPEST = 4
"""The maximum depth of archives inside archives."""
_LONGEST = 255
"""The maximum length of a file's path."""
_HEADER = 64 << 10
"""The maximum bytes of an extended header."""
_BLOCK = 512


class _Left:
    """The remaining limits."""

    def __init__(self) -> None:
        self.bytes, self.files = _LARGEST, _MOST

    def take(self, size: int) -> None:
        """Counts bytes. Raises ValueError if they are too many."""
        self.bytes -= size
        if self.bytes < 0:
            raise ValueError(f"it unpacks to more than {_LARGEST >> 20} MiB")

    def take_file(self) -> None:
        """Counts one file. Raises ValueError if it is one too many."""
        self.files -= 1
        if self.files < 0:
            raise ValueError(f"it contains more than {_MOST} files")


def unpacked(data: bytes) -> dict[str, bytes]:
    """The files of a chart's .tgz, without the folder around them. Raises ValueError if it isn't a valid chart."""
    left = _Left()
    files = _files(data, left)
    check_subcharts(files, left)
    return files


_SUBCHART = re.compile(r"(?:^|/)charts/[^/]+\.tgz\Z")


def check_subcharts(files: Mapping[str, bytes], left: _Left | None = None, depth: int = 1) -> None:
    """Reads the archives in folders `charts`, which helm unpacks. Raises ValueError as `unpacked` does."""
    left = left or _Left()
    for path, data in files.items():
        if not _SUBCHART.search(path):
            continue
        if depth == _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} archives are inside one another")
        try:
            inner = _files(data, left)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        check_subcharts(inner, left, depth + 1)


def _files(data: bytes, left: _Left) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for name, content in _members(_Stream(data, left)):
        left.take_file()
        path = name.removeprefix("./").partition("/")[2]
        if not path:
            raise ValueError(f"{name!r} is outside of the chart's folder")
        if path in files:
            raise ValueError(f"it contains {path!r} twice")
        files[path] = content
    FileTree(files)  # raises ValueError for a path that leads out, and for a file instead of a folder
    return files


class _Stream:
    """A stream of the unpacked .tgz. Only the requested bytes are in memory."""

    def __init__(self, data: bytes, left: _Left) -> None:
        if not data.startswith(b"\x1f\x8b"):
            raise ValueError("it isn't a .tgz: it doesn't begin like gzip data")
        self._data, self._at, self._left = data, 0, left
        self._gzip, self._streams = zlib.decompressobj(_GZIP), 1

    def read(self, size: int) -> bytes:
        """The next bytes, fewer at the end. Raises ValueError if the data is damaged, cut off or too large."""
        self._left.take(size)
        parts: list[bytes] = []
        while size and (part := self._more(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _more(self, size: int) -> bytes:
        """At least one byte and at most `size`, unless this is the end."""
        while True:
            if self._gzip.eof and self._at == len(self._data):
                return b""
            if self._gzip.eof:
                self._next_stream()
            given = self._gzip.unconsumed_tail
            if not given:
                given = self._data[self._at : self._at + _PIECE]
                self._at += len(given)
            try:
                part = self._gzip.decompress(given, size)
            except zlib.error:
                raise ValueError("it is damaged: its gzip data can't be unpacked") from None
            self._at -= len(self._gzip.unused_data)  # the next stream begins there
            if part:
                return part
            if not given and not self._gzip.eof:
                raise ValueError("it is incomplete")

    def _next_stream(self) -> None:
        self._streams += 1
        if self._streams > _STREAMS:
            raise ValueError(f"it has more than {_STREAMS} gzip streams")
        self._gzip = zlib.decompressobj(_GZIP)


_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 16 << 10


class _Extended(NamedTuple):
    """The content of an extended header for the next file."""

    kind: bytes
    path: str


def _members(stream: _Stream) -> Iterator[tuple[str, bytes]]:
    """The name and content of every file, in order. Raises ValueError for entries that are neither file nor folder."""
    extended: _Extended | None = None
    while header := _header(stream):
        size, kind = header.size, header.type
        if kind in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE):
            if size > _HEADER:
                raise ValueError(f"it contains an extended header of {size} bytes")
            content = _content(stream, size)
            if kind == tarfile.XGLTYPE:
                continue  # a comment, such as Git's; helm ignores it too
            if extended:
                raise ValueError("it contains two extended headers for one file")
            extended = _Extended(kind, _long_name(content) if kind == tarfile.GNUTYPE_LONGNAME else _pax_path(content))
            continue
        name = (extended and extended.path) or header.name
        extended = None
        if len(name) > _LONGEST:
            raise ValueError(f"it contains a name of {len(name)} characters")
        if kind == tarfile.DIRTYPE and not size:
            continue
        if kind not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise ValueError(f"{name!r} is neither a file nor a folder, but a link or a device")
        yield name, _content(stream, size)
    while rest := stream.read(_PIECE):
        if rest.strip(b"\0"):
            raise ValueError("it has bytes after its end")


def _header(stream: _Stream) -> tarfile.TarInfo | None:
    block = stream.read(_BLOCK)
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape") if block.strip(b"\0") else None
    except tarfile.HeaderError:
        raise ValueError("it isn't a .tgz, or it is damaged: a header can't be read") from None
    if header and header.size < 0:
        raise ValueError("it is damaged: a file has a negative size")
    return header


def _content(stream: _Stream, size: int) -> bytes:
    padding = -size % _BLOCK
    content = stream.read(size)
    if len(content) < size or len(stream.read(padding)) < padding:
        raise ValueError("it is incomplete")
    return content


def _long_name(content: bytes) -> str:
    return _text(content.partition(b"\0")[0])


def _pax_path(content: bytes) -> str:
    """The path in an extended header, which is lines of `length key=value`; empty if it has none."""
    path = ""
    while content:
        digits = content[:6].partition(b" ")[0]
        length = int(digits) if digits.isdigit() else 0
        key, _, value = content[len(digits) + 1 : max(length - 1, 0)].partition(b"=")
        if length > len(content) or content[length - 1 : length] != b"\n":
            raise ValueError("it is damaged: an extended header can't be read")
        if key == b"path":
            path = _text(value)
        elif key == b"size" or key.startswith(b"GNU.sparse"):
            raise ValueError("it contains a file in parts, or one that is too large for its header")
        content = content[length:]
    return path


def _text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise ValueError("it contains a name that isn't UTF-8") from None

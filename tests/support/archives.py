"""Makes archives of charts, member by member: archives that tar makes, and archives that no tar would make."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping


def member(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, *, size: int | None = None) -> bytes:
    """One member: its header, which may have a wrong size, and its content."""
    header = tarfile.TarInfo(name)
    header.type, header.linkname = kind, "/etc/passwd" if kind in (tarfile.LNKTYPE, tarfile.SYMTYPE) else ""
    header.size = len(data) if size is None else size
    return header.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512)


def pax(**values: str) -> bytes:
    """An extended header for the next member."""
    lines = b""
    for key, value in values.items():
        line = f" {key.replace('__', '.')}={value}\n".encode()
        length = len(line) + len(str(len(line) + len(str(len(line)))))
        lines += f"{length}".encode() + line
    return member("pax", lines, tarfile.XHDTYPE)


def tgz(*members: bytes) -> bytes:
    """The members and the end of a tar archive, compressed by gzip."""
    return gzip.compress(b"".join(members) + bytes(1024), 6, mtime=0)


def chart(files: Mapping[str, bytes], name: str = "base") -> bytes:
    """A chart in its published form, with the same bytes each time."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for path, data in sorted(files.items()):
            one = tarfile.TarInfo(f"{name}/{path}")
            one.size = len(data)
            tar.addfile(one, io.BytesIO(data))
    return buffer.getvalue()

"""What the .tgz of a chart may hold, and what one costs that somebody made to cost much."""

from __future__ import annotations

import gzip
import random
import tarfile
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Callable

import pytest

from meshc.mesh.chart_archive import check_subcharts, unpacked
from support.archives import chart, member, pax, tgz

FILE = member("base/Chart.yaml", b"name: base\n")
PLAIN = tgz(FILE)
LONG = "base/" + "a" * 120
READ = {"Chart.yaml": b"name: base\n"}


ARE_READ: dict[str, tuple[bytes, dict[str, bytes]]] = {
    "plain": (PLAIN, READ),
    "with ./ in front": (tgz(member("./base/Chart.yaml", b"name: base\n")), READ),
    "folders": (tgz(member("base/", kind=tarfile.DIRTYPE), FILE), READ),
    "of an old tar": (tgz(member("base/", kind=tarfile.AREGTYPE), FILE), READ),
    "Git's comment": (tgz(member("pax_global_header", b"52 comment=1\n", tarfile.XGLTYPE), FILE), READ),
    "a long name of GNU's": (tgz(member("././@LongLink", LONG.encode() + b"\0", b"L"), member("x")), {LONG[5:]: b""}),
    "a long name of POSIX": (tgz(pax(mtime="1.5", path=LONG), member("x")), {LONG[5:]: b""}),
    "extended headers without a name": (tgz(pax(mtime="1.5", LIBARCHIVE__xattr="a=b"), FILE), READ),
    "two gzip streams": (gzip.compress(FILE[:700]) + gzip.compress(FILE[700:] + bytes(1024)), READ),
    "no end": (gzip.compress(FILE), READ),
    "nothing": (gzip.compress(b""), {}),
    "more zeros behind the end": (tgz(FILE, bytes(20 * 512)), READ),
    "an archive inside": (chart({"charts/a.tgz": PLAIN}), {"charts/a.tgz": PLAIN}),
}


@pytest.mark.parametrize("kind", ARE_READ)
def test_archives_that_are_read(kind: str) -> None:
    data, files = ARE_READ[kind]

    assert unpacked(data) == files


def inside(count: int) -> bytes:
    data = PLAIN
    for _ in range(count):
        data = chart({"charts/a.tgz": data})
    return data


REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "no archive": ("doesn't begin like gzip data", lambda: b"text"),
    "empty": ("doesn't begin like gzip data", lambda: b""),
    "gzip of something else": ("a header can't be read", lambda: gzip.compress(b"text" * 999)),
    "cut off": ("incomplete", lambda: PLAIN[:60]),
    "cut off before its sum": ("incomplete", lambda: PLAIN[:-5]),
    "cut off in a member": ("incomplete", lambda: gzip.compress(FILE[:600])),
    "another sum": ("can't be unpacked", lambda: PLAIN[:-5] + b"\0" + PLAIN[-4:]),
    "behind the gzip": ("can't be unpacked", lambda: PLAIN + b"more"),
    "behind the end": ("bytes after its end", lambda: gzip.compress(FILE + bytes(1024) + FILE)),
    "a damaged header": ("a header can't be read", lambda: tgz(FILE[:9] + b"!" + FILE[10:])),
    "many gzip streams": ("more than 100 gzip streams", lambda: gzip.compress(b"") * 500_000),
    "a symbolic link": ("a link or a device", lambda: tgz(member("base/a", kind=tarfile.SYMTYPE))),
    "a hard link": ("a link or a device", lambda: tgz(member("base/a", kind=tarfile.LNKTYPE))),
    "a device": ("a link or a device", lambda: tgz(member("base/null", kind=tarfile.CHRTYPE))),
    "a pipe": ("a link or a device", lambda: tgz(member("base/a", kind=tarfile.FIFOTYPE))),
    "a sparse file of GNU's": ("neither a file", lambda: tgz(member("base/a", kind=tarfile.GNUTYPE_SPARSE))),
    "a sparse file of POSIX": ("in parts", lambda: tgz(pax(GNU__sparse__major="1"), FILE)),
    "another size": ("too large for its header", lambda: tgz(pax(size="-512"), FILE)),
    "a negative size": ("negative size", lambda: tgz(member("base/a", size=-512))),
    "a folder with content": ("neither a file", lambda: tgz(member("base/", bytes(512), tarfile.DIRTYPE))),
    "a path that climbs": ("not a path", lambda: tgz(member("base/../../Chart.yaml"))),
    "an absolute path": ("not a path", lambda: tgz(member("base//etc/passwd"))),
    "a path from the top": ("not a path", lambda: tgz(member("/etc//passwd"))),
    "a backslash": ("not a path", lambda: tgz(member("base/a\\b"))),
    "a line end in a name": ("not a path", lambda: tgz(member("base/a\nb"))),
    "a name in Latin-1": ("not a path", lambda: tgz(member("base/\udce9"))),
    "a long name in Latin-1": ("isn't UTF-8", lambda: tgz(member("x", b"base/\xe9", b"L"), FILE)),
    "a name beyond all": ("a name of 300", lambda: tgz(pax(path="a" * 300), FILE)),
    "a file at the top": ("outside of the chart's folder", lambda: tgz(member("Chart.yaml"))),
    "a file twice": ("twice", lambda: tgz(FILE, FILE)),
    "two folders": ("twice", lambda: tgz(FILE, member("other/Chart.yaml"))),
    "a file over a folder": ("both a file and a folder", lambda: tgz(member("base/a/b"), member("base/a"))),
    "a chain of headers": ("two extended headers", lambda: tgz(*([pax(path="a/b")] * 2000), FILE)),
    "a header of no form": ("extended header can't", lambda: tgz(member("x", b"9" * 6000, tarfile.XHDTYPE), FILE)),
    "a header that ends early": ("extended header can't", lambda: tgz(member("x", b"99 path=a\n", tarfile.XHDTYPE))),
    "a large header": ("extended header of 65537 bytes", lambda: tgz(member("x", bytes(65537), tarfile.XHDTYPE))),
    "a header of 768 MiB": ("extended header of 805306368", lambda: tgz(member("x", kind=b"x", size=768 << 20))),
    "a file of 8 EiB": ("more than 16 MiB", lambda: tgz(member("base/a", size=1 << 63))),
    "a bomb": ("more than 16 MiB", lambda: tgz(member("base/zeros", bytes(17 << 20)))),
    "a bomb of zeros": ("more than 16 MiB", lambda: tgz(FILE, bytes(17 << 20))),
    "many members": ("more than 10000 files", lambda: tgz(*(member(f"base/{n}") for n in range(10_001)))),
    "a damaged archive inside": ("charts/a.tgz: it is incomplete", lambda: chart({"charts/a.tgz": PLAIN[:60]})),
    "a bomb inside": ("16 MiB", lambda: chart({"charts/a.tgz": tgz(member("a/b", bytes(17 << 20)))})),
    "two large ones inside": (
        "16 MiB",
        lambda: chart(dict.fromkeys(("charts/a.tgz", "charts/b/charts/c.tgz"), tgz(member("a/b", bytes(9 << 20))))),
    ),
    "archives in archives": ("more than 4 archives", lambda: inside(4)),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_archives_that_are_refused(kind: str) -> None:
    words, make = REFUSED[kind]
    with pytest.raises(ValueError, match=r".") as refused:
        unpacked(make())

    assert words in str(refused.value)


@pytest.mark.thorough
def test_what_a_bomb_costs() -> None:
    """A small .tgz that unpacks to a quarter of a gigabyte: it is refused before it is in memory."""
    press = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [member("base/a", size=15 << 20), *([bytes(1 << 20)] * 256)]
    data = b"".join(map(press.compress, parts)) + press.flush()
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"more than 16 MiB"):
            unpacked(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 40 << 20


def test_no_damage_raises_anything_else() -> None:
    """One byte changed, or the end gone, in the archive and in what gzip holds."""
    chance = random.Random(7)
    whole = chart({"Chart.yaml": b"name: base\n", "templates/a.yaml": bytes(900), "charts/b.tgz": PLAIN})
    inner = gzip.decompress(whole)
    ends: Counter[str] = Counter()
    for number in range(1500):
        data = bytearray(inner if number % 2 else whole)
        data[chance.randrange(len(data))] = chance.randrange(256)
        if not number % 7:
            del data[chance.randrange(len(data)) :]
        try:
            unpacked(gzip.compress(bytes(data), 1) if number % 2 else bytes(data))
            ends["read"] += 1
        except ValueError:
            ends["refused"] += 1

    assert ends["read"] > 100
    assert ends["refused"] > 500


def test_the_archives_in_a_folder_are_read_too() -> None:
    with pytest.raises(ValueError, match=r"charts/a.tgz: it isn't a .tgz"):
        check_subcharts({"Chart.yaml": b"", "charts/a.tgz": b"x"})

    check_subcharts({"files/a.tgz": b"x", "charts/a.tgz": PLAIN})

"""Reads the files of charts and computes their digests. Each chart is read once, so the pinned bytes are the rendered
ones."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from meshc import codes
from meshc.kube import Version
from meshc.mesh.chart_archive import check_subcharts, unpacked
from meshc.mesh.charts import AT, FOLDERS, is_pulled, pulled_to, source_of, wanted
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.model import Charts
    from meshc.mesh.reader import Reader

Key = tuple[str, str]
"""A chart's name and its Istio version."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: its path, its source in mesh.yaml, its digest and its files."""

    name: str
    version: str
    source: str
    path: str
    digest: str
    files: Mapping[str, bytes] = field(repr=False)


class Sought(NamedTuple):
    """A chart that some cluster needs, and where it comes from: a folder, or a repository."""

    name: str
    version: Version
    source: str


def read_charts(fleet: Fleet, reader: Reader) -> dict[Key, Chart]:
    """Every chart that some cluster needs. Reports each missing or invalid chart once."""
    charts = fleet.mesh.spec.istio.charts
    found: dict[Key, Chart] = {}
    tried: set[Key] = set()
    for one in (one for member in fleet for one in wanted(fleet, member)):
        key = (one.chart, str(one.version))
        if charts is None or key in tried:
            continue
        tried.add(key)
        if chart := _read(charts, one.chart, one.version, reader):
            found[key] = chart
    return found


def _read(charts: Charts, name: str, version: Version, reader: Reader) -> Chart | None:
    """One chart: its folder, or its .tgz."""
    before = len(reader.problems)
    sought = Sought(name, version, source_of(charts, version))
    path = pulled_to(charts, name, version) if is_pulled(charts) else _find(sought, reader)
    if path is not None and path.endswith(".tgz"):
        if is_pulled(charts) and reader.kind(path, AT) is None:
            path = None
        else:
            return _packed(sought, path, reader)
    if path is None:
        if len(reader.problems) == before:
            _missing(charts, sought, reader)
        return None
    files = dict(reader.folder(path, AT))
    ignored = posixpath.join(path, ".helmignore")  # the listing of a folder skips names that begin with a dot
    if reader.kind(ignored, AT) == "file" and (data := reader.data_of(ignored, AT)) is not None:
        files[".helmignore"] = data
    if len(reader.problems) > before:
        return None
    try:
        check_subcharts(files)
    except ValueError as error:
        _spoilt(path, error, reader)
        return None
    if not _is_chart(files, sought, path, reader):
        return None
    return Chart(name, str(version), sought.source, path, digest_of(files), files)


def _find(sought: Sought, reader: Reader) -> str | None:
    """The path of a chart in the folder that mesh.yaml names; the folder, or .tgz, may be the chart itself."""
    name, version, source = sought
    kind = reader.kind(source, AT)
    if kind == "file":
        return source if source.endswith(".tgz") else None
    if kind != "folder":
        return None
    for folder in FOLDERS[name]:
        if reader.kind(f"{source}/{folder}/Chart.yaml", AT) == "file":
            return f"{source}/{folder}"
    packed = f"{source}/{name}-{version}.tgz"
    if reader.kind(packed, AT) == "file":
        return packed
    own = f"{source}/Chart.yaml"
    return source if reader.kind(own, AT) == "file" and _named(reader.data_of(own, AT) or b"", own) == name else None


def _missing(charts: Charts, sought: Sought, reader: Reader) -> None:
    name, version, source = sought
    if is_pulled(charts):
        what = f"chart {name} {version} isn't vendored: {pulled_to(charts, name, version)} is missing"
        reader.report(codes.CHART_MISSING, AT, what, "run meshc vendor, and commit what it writes")
        return
    what = f'"{source}" has no chart {name} {version}'
    looked = ", ".join((*FOLDERS[name], f"{name}-{version}.tgz"))
    reader.report(
        codes.CHART_MISSING, (*AT, "source"), what, f"meshc looked for {looked} in it, and for the chart itself"
    )


def _packed(sought: Sought, path: str, reader: Reader) -> Chart | None:
    data = reader.data_of(path, AT)
    return None if data is None else packed(sought, path, data, reader)


def packed(sought: Sought, path: str, data: bytes, reader: Reader) -> Chart | None:
    """The chart in a .tgz with this (possibly future) path. Its digest is the digest of the .tgz."""
    try:
        files = unpacked(data)
    except ValueError as error:
        _spoilt(path, error, reader)
        return None
    if not _is_chart(files, sought, path, reader):
        return None
    return Chart(sought.name, str(sought.version), sought.source, path, f"sha256:{sha256(data).hexdigest()}", files)


def _spoilt(path: str, error: ValueError, reader: Reader) -> None:
    hint = "vendor it again; if the published archive is like this, unpack it, and name the folder with the chart"
    reader.report(codes.BAD_CHART, AT, f'"{path}" can\'t be unpacked: {error}', hint)


def digest_of(files: Mapping[str, bytes]) -> str:
    """The digest of a folder: of every path and every byte in it."""
    digest = sha256()
    for path in sorted(files):
        digest.update(f"{path}\0{len(files[path])}\0".encode())
        digest.update(files[path])
    return f"sha256:{digest.hexdigest()}"


_UNRELEASED = "1.0.0"
"""The version of istiod's charts in Istio's repository; releases have their own version."""


def _is_chart(files: Mapping[str, bytes], sought: Sought, path: str, reader: Reader) -> bool:
    """Reports a chart with the wrong name or version."""
    name, version, _ = sought
    told = _told(files.get("Chart.yaml", b""), path)
    if _name(told) != name:
        what = f'"{path}" is chart {_brief(_name(told)) or "without a name"}, not {name}'
        reader.report(codes.BAD_CHART, AT, what, "write the folder that contains Istio's charts")
        return False
    stated = _brief(str(told.get("version")))
    if not _fits(stated, version):
        what = f'"{path}" is version {stated} of chart {name}, but the clusters run Istio {version}'
        reader.report(codes.CHART_VERSION, AT, what, "vendor the version in mesh.yaml, or correct mesh.yaml")
        return False
    return True


def _brief(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _fits(stated: str, version: Version) -> bool:
    """Classic releases rarely gave their charts a new version, so any version of the same minor release is accepted."""
    parsed = Version.parse(stated)
    return stated == _UNRELEASED or parsed == version or (parsed is not None and parsed.line == version.line == (1, 0))


_LARGEST_TOLD = 256 << 10
"""The maximum bytes of a Chart.yaml. Large charts have a few thousand."""


def _told(data: bytes, shown: str) -> Mapping[str, Any]:
    """The content of a Chart.yaml; empty if it can't be read."""
    documents, problems = read(data, shown) if len(data) <= _LARGEST_TOLD else ((), ())
    told = documents[0].data if documents and not problems else None
    return told if isinstance(told, dict) else {}


def _named(data: bytes, shown: str) -> str:
    return _name(_told(data, shown))


def _name(told: Mapping[str, Any]) -> str:
    name = told.get("name")
    return name if isinstance(name, str) else ""


def by_digest(charts: Iterable[Chart]) -> dict[str, Mapping[str, bytes]]:
    """The files of each chart by its digest, because a plan names charts only by digest."""
    return {chart.digest: chart.files for chart in charts}

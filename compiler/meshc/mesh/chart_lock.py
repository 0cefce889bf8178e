"""Reads and writes charts.lock.yaml, which lists by digest the charts that a compile may render."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.mesh.charts import AT
from meshc.yamltext.read import read
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.mesh.chart_files import Chart, Key
    from meshc.mesh.source import Source

LOCK = "charts.lock.yaml"
_FIRST = b"# Made by meshc vendor: the charts that a compile may render. Commit it beside mesh.yaml.\n"


def lock_of(charts: Iterable[Chart]) -> bytes:
    """The lock file of these charts; the same for the same charts, in any order."""
    entries = [
        {"chart": one.name, "version": one.version, "source": one.source, "path": one.path, "digest": one.digest}
        for one in sorted(charts, key=lambda one: (one.name, one.version))
    ]
    return _FIRST + write({"charts": entries}).encode()


def check_lock(charts: Mapping[Key, Chart], data: bytes | None, source: Source) -> Iterator[Problem]:
    """A problem for every chart whose digest isn't in the lock file."""
    shown = source.shown(LOCK)
    documents, problems = read(data or b"", shown)
    if problems:
        yield from problems
        return
    entries = _entries(documents[0].data if documents else None)
    for (name, version), chart in charts.items():
        entry = entries.get((name, version))
        if entry is None or (entry.get("source"), entry.get("path")) != (chart.source, chart.path):
            what = f"{shown} doesn't list chart {name} {version} of {chart.source}"
            yield source.problem(codes.CHART_UNLOCKED, AT, what, "run meshc vendor, and commit what it writes")
        elif entry.get("digest") != chart.digest:
            what = f'"{chart.path}" isn\'t the chart {name} {version} that {shown} pins'
            hint = "restore it from Git; or, if the change is intended, review it and run meshc vendor"
            yield source.problem(codes.CHART_CHANGED, AT, what, hint)


def paths_in(data: bytes | None) -> set[str]:
    """The paths of the charts in a lock file; empty if there is no readable lock file."""
    documents, problems = read(data or b"", LOCK)
    entries = _entries(documents[0].data if documents and not problems else None)
    return {str(entry.get("path")) for entry in entries.values()}


def _entries(data: Any) -> dict[tuple[str, str], Mapping[str, Any]]:
    listed = data.get("charts") if isinstance(data, dict) else None
    return {
        (str(one.get("chart")), str(one.get("version"))): one
        for one in (listed if isinstance(listed, tuple) else ())
        if isinstance(one, dict)
    }

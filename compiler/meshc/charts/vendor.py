"""Copies the charts that mesh.yaml names into the repository, and pins them in a lock file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.disk.units import Change
from meshc.errors import BuildError, stop_on
from meshc.mesh.chart_files import Chart, Sought, packed, read_charts
from meshc.mesh.chart_lock import LOCK, lock_of, paths_in
from meshc.mesh.charts import is_pulled, pulled_to, source_of, wanted
from meshc.mesh.reader import Reader

if TYPE_CHECKING:
    from meshc.charts.helm import Helm
    from meshc.disk.repository import Repository
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source


Steps = Callable[[str, int], AbstractContextManager[Callable[[], None]]]
"""Opens a context for a title and a number of steps. It yields the function to call after each step."""


@dataclass(frozen=True, slots=True)
class Vendored:
    """The pinned charts, and the files that changed."""

    charts: tuple[Chart, ...]
    changed: tuple[str, ...]


def vendor(fleet: Fleet, source: Source, repository: Repository, find: Callable[[], Helm], steps: Steps) -> Vendored:
    """Pulls charts from the network, and pins all charts that some cluster needs. Writes all files, or none.

    Removes charts in `charts.directory` that the old lock file pinned and nothing needs any more. Raises
    ProblemsError for an invalid chart, ToolError if there is no helm, and BuildError if helm can't pull a chart.
    """
    reader = Reader(source, repository)
    given = fleet.mesh.spec.istio.charts
    pulled: dict[str, bytes] = {}
    if given is None or not is_pulled(given):
        charts = list(read_charts(fleet, reader).values())
    else:
        charts = []
        helm = find()
        needed = {(one.chart, one.version) for member in fleet for one in wanted(fleet, member)}
        with steps("pulling charts", len(needed)) as done:
            for name, version in sorted(needed):
                at, path = source_of(given, version), pulled_to(given, name, version)
                pulled[path] = _pull(helm, name, at, str(version))
                done()
                if chart := packed(Sought(name, version, at), path, pulled[path], reader):
                    charts.append(chart)
    stop_on(reader.problems)
    before = _read(repository, LOCK)
    dropped = {path for path in paths_in(before) if given and path.startswith(f"{given.directory}/")} - {
        chart.path for chart in charts
    }
    wanted_files: Mapping[str, bytes | None] = {
        **dict.fromkeys(path for path in dropped if path.endswith(".tgz") and path.count("/") == 1),
        **pulled,
        LOCK: lock_of(charts) if charts else None,
    }
    changes = {repository.locate(path): Change(_read(repository, path), data) for path, data in wanted_files.items()}
    repository.change(changes)
    changed = sorted(path for path, one in changes.items() if one.before != one.after)
    return Vendored(tuple(charts), tuple(changed))


def _pull(helm: Helm, name: str, source: str, version: str) -> bytes:
    try:
        return helm.pull(name, source, version)
    except BuildError as error:
        raise BuildError(f"{source}: chart {name} {version} can't be pulled: {error}") from None


def _read(repository: Repository, path: str) -> bytes | None:
    try:
        return repository.read_file(path)
    except FileNotFoundError:
        return None

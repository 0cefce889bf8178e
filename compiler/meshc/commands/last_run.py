"""Records a run that left both trees up to date, so that the next run with the same inputs can stop early.

The record is valid as long as every read of the repository, meshc, its tools and every byte of both trees are
unchanged.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from meshc.commands.begin import begin_reading
from meshc.commands.find_mesh import STDIN
from meshc.disk.code import code_digest
from meshc.disk.digest import digest_of
from meshc.disk.repository import Repository
from meshc.disk.watched import Watched, digest_on_disk, hears_the_same
from meshc.errors import MeshcError, Place, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from meshc.output.link import Link
    from meshc.output.render import Rendered
    from meshc.pipeline import Compiled

_TREES = ("overlays", "output")


@dataclass(frozen=True, slots=True)
class InStep:
    """The report of a compile or a check that has nothing to do.

    `quiet_until` is the time when the first CA or token is due; empty after a compile, which reads no clock.
    """

    mesh: str
    clusters: tuple[str, ...]
    pending: tuple[str, ...]
    by_kustomize: tuple[str, ...]
    whole: tuple[tuple[str, str], ...]
    engine: str
    files: int
    problems: tuple[Problem, ...]
    quiet_until: str


@dataclass(frozen=True, slots=True)
class Run:
    """The key of a record: the mesh.yaml of a repository, and the kind of link."""

    repository: Repository
    file: Path
    link: Link


def in_step(compiled: Compiled, rendered: Rendered, files: int, quiet_until: str = "") -> InStep:
    """The record of a compile."""
    plan = compiled.plan
    return InStep(
        plan.mesh,
        tuple(cluster.name for cluster in plan.clusters),
        compiled.pending,
        rendered.by_kustomize,
        rendered.whole,
        str(plan.delivery.engine) if plan.delivery else "",
        files,
        compiled.problems,
        quiet_until if plan.ca == "plugged-in" or compiled.inputs.sealed else "9999",
    )


def recall(run: Run) -> InStep | None:
    """The report from a record; None if a whole run is needed. Writes nothing except the cache."""
    repository = run.repository
    if not repository.cached or run.file == STDIN:
        return None
    try:
        stored = repository.cache_get(_key(run))
        record = json.loads(stored) if stored else None
        if record is None or record["kustomize"] != _kustomize(repository):
            return None
        if record["helm"] and record["helm"] != _helm(repository):
            return None
        same = hears_the_same(repository, record["asked"]) and digest_on_disk(repository, _TREES) == record["trees"]
    except (OSError, MeshcError):  # a whole run reports the error better
        return None
    return _read(record["told"]) if same else None


def known_in_step(file: Path, link: Link, *, cached: bool) -> InStep | None:
    """The report from a record, before anything is compiled; None if a whole check is needed, for example because a CA
    is due.

    Raises RefusedError after an interrupted run.
    """
    repository = Repository.around(file.parent, cached=cached)
    begin_reading(repository)
    known = recall(Run(repository, file, link))
    return known if known and known.quiet_until > instant(datetime.now(UTC)) else None


def instant(time: datetime) -> str:
    """A time as text that sorts by time."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def remember(run: Run, compiled: Compiled, trees: Mapping[str, bytes], told: InStep) -> None:
    """Records that `trees`, which are on disk now, are the result of all recorded reads of the repository."""
    from meshc.output.kustomize import find
    from meshc.output.native import is_tested

    repository = run.repository
    tested = is_tested(find(repository).version)  # with another version, each run has to show a note
    if isinstance(repository, Watched) and repository.cached and tested and run.file != STDIN:
        helm = _helm(repository) if any(cluster.charts for cluster in compiled.plan.clusters) else ""
        record = {
            "asked": repository.notes,
            "kustomize": _kustomize(repository),
            "helm": helm,
            "trees": digest_of(trees),
            "told": _written(told),
        }
        repository.cache_put(_key(run), json.dumps(record).encode())


def _key(run: Run) -> str:
    """The key of everything that decides the result, except the repository and the tools."""
    decides = [code_digest(), run.file.as_posix(), run.link, run.repository.from_top]
    return sha256(f"in step {json.dumps(decides)}".encode()).hexdigest()


def _kustomize(repository: Repository) -> str:
    from meshc.output.kustomize import find

    found = find(repository)
    return f"{found.version} {' '.join(found.argv)}"


def _helm(repository: Repository) -> str:
    from meshc.charts.helm import find

    return str(find(repository).version)


def _written(told: InStep) -> dict[str, Any]:
    problems = [{**asdict(problem), "code": problem.code.id} for problem in told.problems]
    return {**asdict(replace(told, problems=())), "problems": problems}


def _read(told: dict[str, Any]) -> InStep:
    return InStep(**{**told, "problems": tuple(map(_problem, told["problems"]))})


def _problem(data: dict[str, Any]) -> Problem:
    from meshc.codes import every_code

    place, also = Place(**data["place"]), tuple(Place(**other) for other in data["also"])
    found = Problem(**{**data, "code": every_code()[data["code"]], "place": place, "also": also})
    return replace(found, clusters=tuple(found.clusters))

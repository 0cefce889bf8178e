"""Compares live clusters with the repository, all of them in parallel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from meshc.capture.dry_run import Trial
from meshc.capture.examine import Recorded, Seen, examine
from meshc.capture.in_parallel import at_once
from meshc.capture.live_objects import Engine, held
from meshc.capture.may import of_istiod, source_of_rights
from meshc.capture.neighbours import compared, pairs
from meshc.capture.recorded import recorded_addresses
from meshc.capture.rows import Check, Row, State, of_error
from meshc.capture.synced import synced
from meshc.capture.trouble import AskError
from meshc.capture.watched import watched
from meshc.commands.clusters import Choice, chosen
from meshc.commands.live_clusters import Reach, live_clusters
from meshc.delivery.contract import name_of
from meshc.issuing.cacerts import CA, ROOTS
from meshc.issuing.rewrapping import sealed_body
from meshc.issuing.work import Work
from meshc.lowering import needs_of
from meshc.output.trees import OUTPUT, read_trees
from meshc.pipeline import plan_mesh
from meshc.review.committed import Commits
from meshc.tree import FileTree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from meshc.capture.ask import Api
    from meshc.commands.opened import Opened
    from meshc.mesh.source import Source
    from meshc.plan.ir import Plan


class Depth(IntEnum):
    """The depth of the checks. Each level includes the lower levels, and needs further rights."""

    PLAIN = 0
    DEEP = 1
    """Also compares every object of output/, and reads from istiod which remotes it watches."""
    DRY_RUN = 2
    """Also runs a server-side dry run of output/."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A row for each check, by cluster, in the order of mesh.yaml."""

    work: Work
    rows: tuple[Row, ...]


def examined(opened: Opened, base: Path, choice: Choice, reach: Reach, depth: Depth = Depth.PLAIN) -> Examined:
    """Queries the selected clusters, or all. `base` is the folder of mesh.yaml. Changes nothing."""
    work = Work(opened.repository, plan_mesh(opened.source))
    asked = chosen(work.plan, choice)
    clusters = live_clusters(base, work.plan, asked, reach)
    recorded = {name: recorded_of(work, opened.source, name, clusters.contexts[name]) for name in asked}

    def question(api: Api) -> Seen:
        seen = examine(api, work.plan, recorded[api.name])
        if depth and seen.api:
            seen.rows += _deep(api.anew(), work.plan, standing.under(f"{OUTPUT}/{api.name}"), depth)
        return seen

    standing = read_trees(opened.repository) if depth else FileTree({})
    answers = clusters.ask(asked, question, opened.listener)
    seen = {name: _seen(name, answer) for name, answer in zip(asked, answers, strict=True)}
    rows = [*(row for one in seen.values() for row in one.rows), *_between(work, seen)]
    rows = [row for row in rows if row.cluster in asked]  # a primary reports about all its remotes
    return Examined(work, tuple(sorted(rows, key=lambda row: asked.index(row.cluster))))


def _deep(api: Api, plan: Plan, output: FileTree, depth: Depth) -> Iterator[Row]:
    """Checks that need many requests, or wide permissions."""
    cluster = plan.cluster(api.name)
    delivery = plan.delivery
    name = name_of(plan, cluster.name)
    engine = Engine(delivery.engine, f"{delivery.namespace}/{name}") if delivery else Engine()
    trial = Trial(api) if depth is Depth.DRY_RUN else None
    questions = {
        Check.OBJECTS: held(api, cluster.name, output, engine, trial),
        Check.ISTIOD: watched(api, plan, cluster),
    }
    for check, rows in questions.items():
        try:
            yield from rows
        except AskError as error:
            yield of_error(cluster.name, check, error)


def _seen(name: str, answer: Seen | AskError) -> Seen:
    return Seen([of_error(name, Check.API_SERVER, answer)]) if isinstance(answer, AskError) else answer


def recorded_of(work: Work, source: Source, name: str, context: str) -> Recorded:
    """The expected state of a cluster, from mesh.yaml and the folder of certificates."""
    cluster = work.plan.cluster(name)
    told = recorded_addresses(work.plan, source, cluster)
    addresses = {part: (one.value, source.document.place(one.path)) for part, one in told.items() if one.value}
    certificate, roots = work.read(work.certificate(CA, name)), work.read(work.certificate(ROOTS))
    return Recorded(cluster, context, addresses, certificate, roots)


def _between(work: Work, seen: dict[str, Seen]) -> list[Row]:
    """Checks across clusters: credentials in primaries, and the state in Argo CD or Flux."""
    needs = [need for need in needs_of(work.plan) if need.cluster in seen]
    servers = {cluster.name: cluster.api_server for cluster in work.plan.clusters}
    sealed = {need.file: sealed_body(work.read(work.sealed(need.file))) for need in needs}
    rights = {cluster.name: of_istiod(work.plan, cluster) for cluster in work.plan.clusters}
    sources = {cluster.name: source_of_rights(cluster) for cluster in work.plan.clusters}
    every = pairs(needs, servers, sealed, rights, sources)
    there = [pair for pair in every if pair.remote in seen and seen[pair.need.cluster].api]
    rows = at_once(
        there,
        lambda pair: compared(pair, seen[pair.need.cluster], seen[pair.remote]),
        lambda pair: Row(pair.remote, Check.CREDENTIALS, State.UNKNOWN, "no answer in time", of=pair.need.cluster),
        60,
    )
    delivery = work.plan.delivery
    for name in seen if delivery else ():
        assert delivery is not None  # noqa: S101 # the loop has at least one cluster
        where = seen.get(delivery.runs_in or name)
        if where and where.api:
            commits = Commits(work.base)
            rows.append(synced(where.api.anew(), delivery, name_of(work.plan, name), name, commits))
    return rows

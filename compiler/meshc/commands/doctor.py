"""Asks living clusters, all of them at once, whether they still are as the repository says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.capture.examine import Recorded, Seen, examine
from meshc.capture.many import at_once
from meshc.capture.may import of_istiod
from meshc.capture.neighbours import compared, pairs
from meshc.capture.recorded import recorded_addresses
from meshc.capture.rows import Check, Row, State, of_error
from meshc.capture.synced import synced
from meshc.capture.trouble import AskError
from meshc.commands.clusters import Choice, chosen
from meshc.commands.living import Reach, living
from meshc.delivery.contract import name_of
from meshc.pipeline import needs_of, plan_mesh
from meshc.review.committed import Commits
from meshc.seal.cacerts import CA, ROOTS
from meshc.seal.rewrapping import sealed_body
from meshc.seal.work import Work

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.capture.ask import Api
    from meshc.commands.opened import Opened
    from meshc.mesh.source import Source


@dataclass(frozen=True, slots=True)
class Examined:
    """A row for each thing that was looked at, by cluster, in the order of mesh.yaml."""

    work: Work
    rows: tuple[Row, ...]


def examined(opened: Opened, base: Path, choice: Choice, reach: Reach) -> Examined:
    """Asks the clusters that are chosen, or all. `base` is the folder of mesh.yaml. Changes nothing."""
    work = Work(opened.repository, plan_mesh(opened.source))
    asked = chosen(work.plan, choice)
    clusters = living(base, work.plan, asked, reach)
    recorded = {name: recorded_of(work, opened.source, name, clusters.contexts[name]) for name in asked}

    def question(api: Api) -> Seen:
        return examine(api, work.plan, recorded[api.name])

    with opened.listener.steps("asking", len(asked)) as step:
        answers = clusters.ask(asked, question, step)
    seen = {name: _seen(name, answer) for name, answer in zip(asked, answers, strict=True)}
    rows = [*(row for one in seen.values() for row in one.rows), *_between(work, seen)]
    return Examined(work, tuple(sorted(rows, key=lambda row: asked.index(row.cluster))))


def _seen(name: str, answer: Seen | AskError) -> Seen:
    return Seen([of_error(name, Check.API_SERVER, answer)]) if isinstance(answer, AskError) else answer


def recorded_of(work: Work, source: Source, name: str, context: str) -> Recorded:
    """What mesh.yaml and the folder of certificates say of a cluster."""
    cluster = work.plan.cluster(name)
    told = recorded_addresses(work.plan, source, cluster)
    addresses = {part: (one.value, source.document.place(one.path)) for part, one in told.items() if one.value}
    certificate, roots = work.read(work.certificate(CA, name)), work.read(work.certificate(ROOTS))
    return Recorded(cluster, context, addresses, certificate, roots)


def _between(work: Work, seen: dict[str, Seen]) -> list[Row]:
    """What concerns two clusters: credentials in primaries, and what the engine says where it runs."""
    needs = [need for need in needs_of(work.plan) if need.cluster in seen]
    servers = {cluster.name: cluster.api_server for cluster in work.plan.clusters}
    sealed = {need.file: sealed_body(work.read(work.sealed(need.file))) for need in needs}
    rights = {cluster.name: of_istiod(work.plan, cluster) for cluster in work.plan.clusters}
    every = pairs(needs, servers, sealed, rights)
    there = [pair for pair in every if pair.remote in seen and seen[pair.need.cluster].api]
    rows = at_once(
        there,
        lambda pair: compared(pair, seen[pair.need.cluster], seen[pair.remote]),
        lambda pair: Row(pair.remote, Check.CREDENTIALS, State.UNKNOWN, "no answer in time", of=pair.need.cluster),
        60,
    )
    delivery = work.plan.delivery
    for name in seen if delivery else ():
        assert delivery is not None  # noqa: S101 # nothing is gone through without one
        where = seen.get(delivery.runs_in or name)
        if where and where.api:
            commits = Commits(work.base)
            rows.append(synced(where.api.anew(), delivery, name_of(work.plan, name), name, commits))
    return rows

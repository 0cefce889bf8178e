"""What `meshc doctor` does with living clusters: asks all of them at once, and shows a table."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from meshc.capture.examine import Recorded, Seen, examine
from meshc.capture.many import at_once
from meshc.capture.neighbours import compared, pairs
from meshc.capture.recorded import recorded_addresses
from meshc.capture.rows import Check, Row, State, of_error
from meshc.capture.synced import synced
from meshc.capture.trouble import AskError
from meshc.cli.live import chosen, contexts_of, opened_api
from meshc.cli.progress import TERMINAL, progress
from meshc.cli.report import Format, count, paint, say, show_json, tell
from meshc.cli.trusted import OfTrust, of_trust
from meshc.commands.opened import Opened
from meshc.delivery.contract import name_of
from meshc.errors import Exit
from meshc.pipeline import needs_of, plan_mesh
from meshc.plain import plain
from meshc.review.committed import Commits
from meshc.seal.cacerts import CA, ROOTS
from meshc.seal.rewrapping import sealed_body
from meshc.seal.work import Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.mesh.source import Source

_COLOURS = {State.OK: "green", State.DIFFERS: "yellow", State.FAILED: "red", State.UNKNOWN: "cyan"}


def live_command(
    file: Path, names: Sequence[str], words: Sequence[str], kubeconfig: Path | None, timeout: float, form: Format
) -> None:
    """Exits 4 where a cluster can't be asked, 1 where one isn't as the repository says."""
    opened = Opened(file, listener=TERMINAL)
    work = Work(opened.repository, plan_mesh(opened.source))
    asked = chosen(work.plan, names)
    contexts = contexts_of(file.parent, work.plan, asked, words, kubeconfig)
    recorded = {name: recorded_of(work, opened.source, name, contexts[name]) for name in asked}

    def ask(name: str) -> Seen:
        try:
            return examine(opened_api(name, contexts, kubeconfig, timeout), work.plan, recorded[name])
        except AskError as error:
            return Seen([of_error(name, Check.API_SERVER, error)])

    def late(name: str) -> Seen:
        return Seen([Row(name, Check.API_SERVER, State.FAILED, f"nothing within {timeout:g} s: does its login wait?")])

    with progress("asking", len(asked)) as step:
        seen = dict(zip(asked, at_once(asked, ask, late, timeout, step), strict=True))
    rows = _ordered(asked, [*(row for one in seen.values() for row in one.rows), *_between(work, seen)])
    show_rows(work.plan.mesh, rows, form, of_trust(work, file.name, datetime.now(UTC)))
    unasked = any(row.check is Check.API_SERVER and row.state is State.FAILED for row in rows)
    if unasked or any(row.state in (State.DIFFERS, State.FAILED) for row in rows):
        raise typer.Exit(Exit.TOOL if unasked else Exit.DIFFERS)


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
    there = [pair for pair in pairs(needs, servers, sealed) if pair.remote in seen and seen[pair.need.cluster].api]
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


def _ordered(names: Sequence[str], rows: Sequence[Row]) -> list[Row]:
    """By cluster, in the order of mesh.yaml."""
    return sorted(rows, key=lambda row: names.index(row.cluster))


def show_rows(mesh: str, rows: Sequence[Row], form: Format, trust: OfTrust | None = None) -> None:
    """A table, or the rows as data."""
    if form is Format.JSON:
        show_json({"mesh": mesh, "clusters": [row.as_json() for row in rows], **(trust.as_json() if trust else {})})
        return
    for row in rows:
        state = paint(f"{row.state:<8}", _COLOURS[row.state], sys.stdout)
        tell(f"{row.cluster:<20} {state} {row.what:<24} {plain(row.says)}")
        if row.place:
            tell(f"{'':<29} {'':<24} {plain(str(row.place))}")
        if row.hint:
            tell(f"{'':<29} {'':<24} hint: {plain(row.hint)}")
    for line in trust.lines() if trust else ():
        tell(plain(line))
    wrong = sum(row.state in (State.DIFFERS, State.FAILED) for row in rows)
    say(f"{count(len({row.cluster for row in rows}), 'cluster')} asked, {wrong or 'nothing'} to mend")
